// What a build with a sanitizer changes in a test.
#pragma once

namespace support {

// How much longer deadlines are, and that counts of seeded rounds may be smaller, where a sanitizer
// makes everything slower; a deadline is not a measurement.
#if defined(__SANITIZE_THREAD__)
inline constexpr int kSlowness = 4;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr int kSlowness = 2;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr int kSlowness = 4;
#elif __has_feature(address_sanitizer)
inline constexpr int kSlowness = 2;
#else
inline constexpr int kSlowness = 1;
#endif
#else
inline constexpr int kSlowness = 1;
#endif

}  // namespace support
