/* Facts of a TCP flow to port 22, seeded with what the protocol's parser reads (facts.h). */
#include "facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_flow(IP_PROTO_TCP, 22, data, size);
    return 0;
}
