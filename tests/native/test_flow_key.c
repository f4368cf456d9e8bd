/* flow_key.c: SipHash against vectors made elsewhere, and a hash that ignores direction.
 *
 * The vectors are those that CPython 3.11 (sys.hash_info.algorithm == "siphash13")
 * gives for bytes(range(n)) under PYTHONHASHSEED=0, which is the key of zeros.
 */
#include "flow_key.h"

#include "check.h"

static const struct {
    uint32_t length;
    uint64_t hash;
} VECTORS[] = {
    {1, 0x68a914128e01e473u},  {2, 0x010bac45c41e3669u},  {7, 0x2f098ab0c751325au},
    {8, 0xead411e67ebe2eeau},  {9, 0x75927f9d95124362u},  {15, 0xf30eb725bb91c9eau},
    {16, 0x8972188433a5c5b7u}, {31, 0x169739443111d49bu}, {40, 0x95bc321ab41d8206u},
};

static void test_siphash_vectors(void)
{
    uint8_t text[64];
    const uint8_t zeros[16] = {0};
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    for (unsigned i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++)
        CHECK_EQ(siphash(zeros, text, VECTORS[i].length), VECTORS[i].hash);
}

static struct flow_key key_of(uint8_t src, uint8_t dst, uint16_t sport, uint16_t dport)
{
    struct flow_key key = {.sport = sport, .dport = dport, .proto = 6};
    key.src[15] = src;
    key.dst[15] = dst;
    return key;
}

static struct flow_key reversed(const struct flow_key *key)
{
    struct flow_key other = *key;
    memcpy(other.src, key->dst, 16);
    memcpy(other.dst, key->src, 16);
    other.sport = key->dport;
    other.dport = key->sport;
    return other;
}

static void test_both_directions_hash_alike(void)
{
    const uint8_t secret[16] = "a secret of ours";
    struct flow_key keys[] = {key_of(1, 2, 1000, 80), key_of(2, 1, 1000, 80),
                              key_of(1, 1, 1000, 80), key_of(1, 1, 80, 80)};
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct flow_key other = reversed(&keys[i]);
        CHECK_EQ(flow_key_hash(&keys[i], secret), flow_key_hash(&other, secret));
    }
}

static void test_every_field_and_the_secret_matter(void)
{
    const uint8_t secret[16] = "a secret of ours", another[16] = "a secret of your";
    struct flow_key key = key_of(1, 2, 1000, 80), other = key;
    uint32_t hash = flow_key_hash(&key, secret);
    CHECK(hash != flow_key_hash(&key, another));
    other.proto = 17;
    CHECK(hash != flow_key_hash(&other, secret));
    other = key_of(1, 2, 80, 1000); /* ports swapped, addresses not: another flow */
    CHECK(hash != flow_key_hash(&other, secret));
    other = key_of(1, 3, 1000, 80);
    CHECK(hash != flow_key_hash(&other, secret));
    other = key_of(1, 2, 1001, 80);
    CHECK(hash != flow_key_hash(&other, secret));
}

static void test_the_hash_is_siphash_of_the_ordered_key(void)
{
    const uint8_t secret[16] = "a secret of ours";
    struct flow_key key = key_of(2, 1, 1000, 80);
    uint8_t text[37] = {[15] = 1, [31] = 2, [32] = 80, [34] = 0xe8, [35] = 0x03, [36] = 6};
    CHECK_EQ(flow_key_hash(&key, secret), (uint32_t)siphash(secret, text, sizeof text));
}

static void test_order(void)
{
    struct flow_key key = key_of(1, 2, 9, 1);
    CHECK(flow_key_ordered(&key));
    key = key_of(2, 1, 1, 9);
    CHECK(!flow_key_ordered(&key));
    key = key_of(1, 1, 9, 1);
    CHECK(!flow_key_ordered(&key));
    key = key_of(1, 1, 1, 1);
    CHECK(flow_key_ordered(&key));
}

int main(void)
{
    test_siphash_vectors();
    test_both_directions_hash_alike();
    test_every_field_and_the_secret_matter();
    test_the_hash_is_siphash_of_the_ordered_key();
    test_order();
    return check_done();
}
