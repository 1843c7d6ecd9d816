// Objects that are owned together, come and go in any order, and are gone through in an order that
// does not depend on where they lie in memory. Each keeps its place, so that leaving is one move.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace relay {

// A base of what a Roster holds.
class Rostered {
 private:
  template <class T>
  friend class Roster;
  size_t place_ = SIZE_MAX;
};

template <class T>
class Roster {
 public:
  void add(std::unique_ptr<T> one) {
    one->place_ = all_.size();
    all_.push_back(std::move(one));
  }
  // Nothing when it has left before.
  std::unique_ptr<T> remove(T& one) {
    const size_t at = one.place_;
    if (at == SIZE_MAX) return nullptr;
    std::unique_ptr<T> removed = std::move(all_[at]);
    removed->place_ = SIZE_MAX;
    if (at + 1 < all_.size()) {
      all_[at] = std::move(all_.back());
      all_[at]->place_ = at;
    }
    all_.pop_back();
    return removed;
  }
  size_t size() const { return all_.size(); }
  bool is_empty() const { return all_.empty(); }
  void clear() { all_.clear(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::vector<std::unique_ptr<T>> all_;
};

}  // namespace relay
