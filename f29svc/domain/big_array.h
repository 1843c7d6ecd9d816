// Zeroed memory for tables that may be large: taken from the system in huge pages where they exist,
// touched only where it is used.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace f29 {

void* take_zeroed(size_t bytes);
void give_back(void* memory, size_t bytes);

// `count` objects whose all-zero bytes are a valid value.
template <class T>
class BigArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  BigArray() = default;
  explicit BigArray(size_t count)
      : data_(static_cast<T*>(take_zeroed(count * sizeof(T)))), count_(count) {}
  BigArray(BigArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  BigArray& operator=(BigArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~BigArray() {
    if (data_ != nullptr) give_back(data_, count_ * sizeof(T));
  }

  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return count_; }

 private:
  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace f29
