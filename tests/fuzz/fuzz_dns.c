/* DNS messages, over UDP and behind length prefixes over TCP (facts.h). */
#include "facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        fuzz_flow(data[0] & 1 ? IP_PROTO_TCP : IP_PROTO_UDP, 53, data + 1, size - 1);
    return 0;
}
