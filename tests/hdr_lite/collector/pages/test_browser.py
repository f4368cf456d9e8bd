"""The pages in a real Chromium, at ``hdr-lite collector serve`` with its own CA.

What no page may do is looked for after every test: an error or a refusal of the policy in the
console, a request to elsewhere.
"""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from hdr_lite.collector import clock
from hdr_lite.collector.accounts import hash_password
from hdr_lite.collector.sqlite import SqliteStore
from hdr_lite.collector.store import Role, User
from tests.collector import sample
from tests.collector.server import Server

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
PASSWORD = "correct horse battery"
USERS = {"anna": Role.ADMIN, "otto": Role.OPERATOR, "vera": Role.VIEWER}
REFUSED = re.compile(r"status of 40[34] ")  #: Chromium logs our own refusals as errors
LONG = 60.0  #: s, on a machine that is busy

pytestmark = [
    pytest.mark.skipif(
        (CHROMIUM is None or DRIVER is None) and "HDR_LITE_STRICT" not in os.environ,
        reason="needs chromium and chromedriver",
    ),
    pytest.mark.timeout(300),
]


async def _fill(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    try:
        hashed = hash_password(PASSWORD)
        for name, role in USERS.items():
            await store.put_user(User(name, role, clock.now(), hashed))
        await sample.fill(store, clock.now(), 220)
    finally:
        await store.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A collector with the sample's fleet."""
    data = tmp_path_factory.mktemp("collector")
    asyncio.run(_fill(data / "collector.db"))
    with Server(data) as running:
        yield running


class Browser:
    """Chromium, and what a person does with it."""

    def __init__(self, server: Server, profile: Path) -> None:
        assert CHROMIUM is not None, "chromium is missing: scripts/bootstrap check"
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--ignore-certificate-errors", "--disable-background-networking",
            f"--user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.asked: list[str] = []
        self.base = f"https://127.0.0.1:{server.port}"

    def look(self, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """At a screen of that size, in a system of that colour."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def go(self, path: str) -> None:
        """Type an address."""
        self.driver.get(self.base + path)

    @property
    def path(self) -> str:
        """The address, without the place."""
        return self.driver.current_url.removeprefix(self.base)

    def log_in(self, user: str, path: str = "/") -> None:
        """As that user, then at that page."""
        self.go(path)
        self.one("input[name=user]").send_keys(user)
        self.one("input[name=password]").send_keys(PASSWORD + Keys.ENTER)
        self.until(lambda: self.path == path)

    def one(self, css: str) -> WebElement:
        """An element."""
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[WebElement]:
        """Elements."""
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def texts(self, css: str) -> list[str]:
        """What is written in them, at one moment: a live page exchanges its elements."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
        texts: list[str] = self.driver.execute_script(script, css)
        return texts

    def focus(self) -> WebElement:
        """What the keyboard is at."""
        return self.driver.switch_to.active_element

    def press(self, label: str) -> None:
        """A button."""
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for it, in a page that has been read to its end."""
        ready = "return document.readyState == 'complete'"
        wait = WebDriverWait(self.driver, LONG, ignored_exceptions=[StaleElementReferenceException])
        wait.until(lambda driver: driver.execute_script(ready) and condition())

    def style(self, css: str, name: str) -> str:
        """A property as it is drawn."""
        return self.one(css).value_of_css_property(name)

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last time."""
        rows = self.driver.get_log("performance")
        events = [json.loads(row["message"])["message"] for row in rows]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        new = [url for url in urls if not url.startswith(("data:", "chrome:"))]
        self.asked += new
        return new


@pytest.fixture
def browser(server: Server, tmp_path: Path) -> Iterator[Browser]:
    """A fresh one; it must have been quiet, and at our place only."""
    opened = Browser(server, tmp_path / "profile")
    try:
        opened.look()
        yield opened
        complaints = [
            row for row in opened.driver.get_log("browser")
            if row["level"] in {"SEVERE", "WARNING"} and not REFUSED.search(row["message"])
        ]  # fmt: skip
        assert complaints == []
        opened.requests()
        assert opened.asked
        assert [url for url in opened.asked if not url.startswith(opened.base)] == []
    finally:
        opened.driver.quit()


def test_log_in_filter_page_and_open(browser: Browser):
    """From the address of a filtered list, over the login, to an alert with its evidence."""
    browser.go("/alerts?level=high")
    browser.one("input[name=user]").send_keys("vera")
    browser.one("input[name=password]").send_keys("wrong" + Keys.ENTER)
    browser.until(lambda: "wrong" in browser.one("main").text)
    browser.one("input[name=password]").send_keys(PASSWORD + Keys.ENTER)
    browser.until(lambda: browser.path == "/alerts?level=high")
    assert set(browser.texts("tbody .level")) == {"high"}

    browser.go("/alerts")
    first = browser.texts("tbody .when")
    browser.one("a[rel=next]").click()
    browser.until(lambda: "before=" in browser.path)
    assert len(first) == 50
    assert browser.texts("tbody .when") != first

    browser.go("/alerts?type=PASSWORD_GUESSING")
    browser.one("tbody a.row").click()
    browser.until(lambda: browser.path.startswith("/alerts/"))
    assert browser.one("h1").text == "Password guessing"
    assert "ssh passwords refused" in browser.one(".evidence").text
    browser.press("Log out")
    browser.until(lambda: browser.path == "/login")
    browser.go("/alerts")
    assert browser.path.startswith("/login")


def test_token_and_revocation(browser: Browser):
    """A token's command appears once and can be withdrawn; a device is revoked after a question."""
    browser.log_in("anna", "/enrolment")
    browser.one("input[name=note]").send_keys("New site")
    browser.press("Make a token")
    browser.until(lambda: browser.all("#command"))
    assert browser.one("#command").text.startswith(f"hdr-lite enrol {browser.base} --token hdr1.")
    assert browser.one("button[data-copy]").is_displayed()
    browser.go("/enrolment")
    assert not browser.all("#command")
    browser.press("Withdraw")
    browser.until(lambda: "withdrawn" in browser.one("tbody").text)

    browser.go(f"/devices/{sample.device_id(7)}")
    assert not browser.one("button.danger").is_displayed()
    browser.one("details.danger summary").click()
    browser.press("Revoke for good")
    browser.until(lambda: "done=revoked" in browser.path)
    assert browser.one(".state").text == "revoked"
    assert not browser.all("details.danger")


def test_roles_decide_what_is_shown(browser: Browser):
    """A viewer has neither forms nor links that he may not use."""
    browser.log_in("vera")
    assert browser.texts(".top nav a") == ["Overview", "Alerts", "Attackers", "Devices", "Blocks"]
    browser.go(f"/devices/{sample.device_id(1)}")
    assert not browser.all("main form")
    browser.go("/audit")
    assert browser.one("h1").text == "Not allowed"


def test_keyboard_only(browser: Browser):
    """Skip link, menu, rows: everything is reached by Tab and opened by Enter, and seen to be."""
    browser.log_in("vera", "/alerts")
    body = browser.one("body")
    browser.driver.execute_script("document.activeElement.blur()")
    body.send_keys(Keys.TAB)
    assert browser.focus().text == "Skip to content"
    browser.focus().send_keys(Keys.ENTER)
    for _ in range(12):
        browser.focus().send_keys(Keys.TAB)
        if browser.focus().get_attribute("class") == "row":
            break
    assert browser.focus().get_attribute("class") == "row"
    outline = "return getComputedStyle(document.activeElement, '::after').outlineStyle"
    assert browser.driver.execute_script(outline) == "solid"
    browser.focus().send_keys(Keys.ENTER)
    browser.until(lambda: browser.path.startswith("/alerts/"))


def test_phone(browser: Browser):
    """On 360 pixels no page is wider than the screen."""
    browser.log_in("anna")
    browser.look(360, 780)
    number = browser.one("a.row").get_attribute("href").removeprefix(browser.base)
    device = f"/devices/{sample.device_id(3)}"
    for path in (
        "/", "/alerts", number, "/attackers", "/attacker?address=192.168.7.66", "/devices", device,
        "/blocks", "/enrolment", "/users", "/audit", "/account", "/alerts/1",
    ):  # fmt: skip
        browser.go(path)
        width = browser.driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= 360, path


def test_dark(browser: Browser):
    """By the system's wish: the ground is dark, text on it is light, the chart follows."""
    browser.log_in("vera")
    light = browser.style("body", "background-color"), browser.style(".chart .color-4", "fill")
    browser.look(scheme="dark")
    dark = browser.style("body", "background-color"), browser.style(".chart .color-4", "fill")
    assert light[0] == "rgba(244, 246, 248, 1)"
    assert dark[0] == "rgba(14, 18, 23, 1)"
    assert light[1] != dark[1]


def test_page_keeps_itself_fresh(browser: Browser):
    """A live page asks for itself again; not while somebody is at something in it."""
    browser.log_in("vera")
    before = browser.one(".fresh time").get_attribute("datetime")
    browser.requests()
    browser.until(lambda: browser.one(".fresh time").get_attribute("datetime") != before)
    assert browser.base + "/" in browser.requests()
