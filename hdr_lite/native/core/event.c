/* The names of malformed events (event.h). */
#include "event.h"

static const char *const names[EVENT_COUNT] = {
#define X(name, text) text,
    EVENTS(X)
#undef X
};

const char *event_name(enum event event)
{
    return (unsigned)event < EVENT_COUNT ? names[event] : "unknown";
}
