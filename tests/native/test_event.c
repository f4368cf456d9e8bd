/* Every event has a name of its own, in the form layer.what. */
#include "check.h"
#include "event.h"

int main(void)
{
    for (int i = 0; i < EVENT_COUNT; i++) {
        const char *name = event_name((enum event)i);
        const char *dot = strchr(name, '.');
        CHECK(dot != NULL && dot != name && dot[1] != '\0');
        for (const char *c = name; *c; c++)
            CHECK((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || c == dot);
        for (int j = 0; j < i; j++)
            CHECK(strcmp(name, event_name((enum event)j)) != 0);
    }
    CHECK_STR(event_name(EVENT_IPV4_BAD_VERSION), "ipv4.bad_version");
    CHECK_STR(event_name(EVENT_COUNT), "unknown");
    struct events events = {0};
    event_note(&events, EVENT_TCP_TRUNCATED);
    event_note(&events, EVENT_TCP_TRUNCATED);
    CHECK_EQ(events.count[EVENT_TCP_TRUNCATED], 2);
    return check_done();
}
