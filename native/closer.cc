#include "closer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "poller.h"

namespace lacewing {

namespace {

constexpr int kMostThreads = 16;

struct Closing {
  UniqueFd fd;
  int done;
};

void Finish(Closing closing) {
  { UniqueFd last = std::move(closing.fd); }
  SignalEvent(closing.done);
}

}  // namespace

// Outlives the Closer by as long as a thread needs to let go of the mutex.
struct Closer::Shared {
  std::mutex mutex;
  std::condition_variable idle;
  std::deque<Closing> queue;
  int threads = 0;
};

Closer::Closer() : shared_(std::make_shared<Shared>()) {}

Closer::~Closer() {
  std::unique_lock lock(shared_->mutex);
  shared_->idle.wait(lock, [&] { return shared_->threads == 0; });
}

void Closer::Close(UniqueFd fd, int done) {
  std::unique_lock lock(shared_->mutex);
  if (shared_->threads < kMostThreads) {
    try {
      std::thread([shared = shared_] { Work(shared); }).detach();
      shared_->threads += 1;
    } catch (const std::system_error&) {
      // no more threads: those that there are take it, or the caller waits himself
      if (shared_->threads == 0) {
        Finish({std::move(fd), done});
        return;
      }
    }
  }
  shared_->queue.push_back({std::move(fd), done});
}

void Closer::Work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (!shared->queue.empty()) {
    Closing next = std::move(shared->queue.front());
    shared->queue.pop_front();
    lock.unlock();
    Finish(std::move(next));
    lock.lock();
  }
  shared->threads -= 1;
  if (shared->threads == 0) shared->idle.notify_all();
}

}  // namespace lacewing
