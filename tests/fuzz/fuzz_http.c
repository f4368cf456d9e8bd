/* Facts of a TCP flow to port 80, seeded with what the protocol's parser reads (facts.h). */
#include "facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_flow(IP_PROTO_TCP, 80, data, size);
    return 0;
}
