// What pages do beyond being pages; each works without it.
"use strict";

// A page marked live is asked for again while it is looked at, and its content exchanged. Not
// while something in it has the focus, is selected or was opened: nobody is to lose what he is at.
// By asking, not by a stream: browsers open six connections to a place, and a stream would keep one
// for each tab.
const LIVE_MS = 15000;

function busy(main) {
  const selection = document.getSelection();
  return (
    (document.activeElement !== main && main.contains(document.activeElement)) ||
    (selection && !selection.isCollapsed) ||
    main.querySelector("details[open]") !== null
  );
}

async function refresh(main) {
  if (document.hidden || busy(main)) return;
  let answer;
  try {
    answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
  } catch {
    main.classList.add("stale"); // the collector cannot be reached: say so, go on trying
    return;
  }
  if (answer.type === "opaqueredirect") {
    location.reload(); // the session has ended
    return;
  }
  main.classList.toggle("stale", !answer.ok);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const content = fresh.querySelector("main[data-live]");
  if (content && !busy(main)) {
    main.replaceChildren(...content.childNodes);
    prepare(main);
  }
}

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const local = new Date(time.dateTime).toLocaleString(undefined, { timeZoneName: "short" });
    time.title = time.title ? `${time.title} (${local})` : local;
  }
}

function copyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        document.getSelection().selectAllChildren(source); // to be copied by hand
      }
    });
  }
}

function prepare(root) {
  localTimes(root);
  copyButtons(root);
}

prepare(document);
// On a phone the bar is wider than the screen.
document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
const live = document.querySelector("main[data-live]");
if (live) setInterval(refresh, LIVE_MS, live);
