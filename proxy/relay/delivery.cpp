#include "proxy/relay/delivery.h"

namespace relay {
namespace {
constexpr size_t kPieceMax = 64 << 10;
}

void Delivery::begin(base::Stream& to, bool spools) {
  to_ = &to;
  spools_ = spools;
  spool_.clear();
  overflow_.clear();
  count_ = 0;
  bytes_given_ = 0;
  bytes_spooled_ = 0;
  fault_ = {};
}

void Delivery::drop() {
  to_ = nullptr;
  spool_.clear();
  overflow_.clear();
  count_ = 0;
}

void Delivery::add(std::string_view piece) {
  if (piece.empty() || to_ == nullptr) return;
  if (count_ == pieces_.size()) flush();
  pieces_[count_++] = piece;
}

void Delivery::flush() {
  if (to_ == nullptr || count_ == 0) return;
  const size_t count = count_;
  count_ = 0;
  const bool straight = to_->pending() == 0 && spool_.is_empty() && overflow_.empty();
  if (straight || !spools_) {
    for (size_t i = 0; i < count; ++i) bytes_given_ += static_cast<int64_t>(pieces_[i].size());
    to_->write(std::span(pieces_.data(), count));
    return;
  }
  for (size_t i = 0; i < count; ++i) keep(pieces_[i]);
}

bool Delivery::take_back() {
  count_ = 0;
  return bytes_given_ == 0 && bytes_spooled_ == 0;
}

void Delivery::keep(std::string_view piece) {
  bytes_spooled_ += static_cast<int64_t>(piece.size());
  if (overflow_.empty()) {
    base::Result<> kept = spool_.append(piece);
    if (kept) return;
    if (kept.error().code != base::ErrorCode::spool_full) fault_ = std::move(kept);
  }
  // One read of the backend at most: must_pause() is true from here on.
  overflow_ += piece;
}

void Delivery::pump() {
  while (to_ != nullptr && to_->pending() == 0) {
    if (!spool_.is_empty()) {
      base::Result<std::string_view> next = spool_.front(kPieceMax);
      if (!next) {
        fault_ = tl::unexpected(next.error());
        return;
      }
      const size_t size = next->size();
      bytes_given_ += static_cast<int64_t>(size);
      to_->write(*next);
      spool_.consume(size);
    } else if (!overflow_.empty()) {
      bytes_given_ += static_cast<int64_t>(overflow_.size());
      to_->write(overflow_);
      overflow_.clear();
      overflow_.shrink_to_fit();
    } else {
      return;
    }
  }
}

size_t Delivery::waiting() const {
  const size_t pending = to_ != nullptr ? to_->pending() : 0;
  return pending + spool_.size() + overflow_.size();
}

bool Delivery::must_pause(size_t waiting_max) const {
  if (to_ == nullptr) return false;
  if (!spools_) return to_->pending() > 0;
  return !overflow_.empty() || waiting() > waiting_max;
}

}  // namespace relay
