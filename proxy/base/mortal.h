// Lets a member function that calls out learn whether its own object was destroyed meanwhile:
//   const Watch watch(mortal_);
//   handler_.on_bytes(bytes);
//   if (watch.is_gone()) return;
#pragma once

namespace base {

class Watch;

// A member of the object that may be destroyed.
class Mortal {
 public:
  Mortal() = default;
  inline ~Mortal();
  Mortal(const Mortal&) = delete;
  Mortal& operator=(const Mortal&) = delete;

 private:
  friend class Watch;
  Watch* innermost_ = nullptr;
};

// Lives on the stack of the member function; several may be nested.
class Watch {
 public:
  // The object keeps a pointer into the stack on purpose: ~Watch takes it back.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#endif
  explicit Watch(Mortal& mortal) : mortal_(&mortal), outer_(mortal.innermost_) {
    mortal.innermost_ = this;
  }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  ~Watch() {
    if (mortal_ != nullptr) mortal_->innermost_ = outer_;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  bool is_gone() const { return mortal_ == nullptr; }

 private:
  friend class Mortal;
  Mortal* mortal_;
  Watch* outer_;
};

Mortal::~Mortal() {
  for (Watch* watch = innermost_; watch != nullptr; watch = watch->outer_) {
    watch->mortal_ = nullptr;
  }
}

}  // namespace base
