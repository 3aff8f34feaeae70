// What the system refuses: which call, why, and what it was about.
#pragma once

#include <cerrno>
#include <exception>
#include <string>

namespace lacewing {

class SystemFailure : public std::exception {
 public:
  SystemFailure(int error, const char* syscall, std::string subject);

  int error() const { return error_; }
  const char* syscall() const { return syscall_; }
  const std::string& subject() const { return subject_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  int error_;
  const char* syscall_;
  std::string subject_;
  std::string message_;
};

// The symbolic name of an errno: "EADDRINUSE".
std::string ErrorName(int error);

// Returns `result`, or throws errno as a SystemFailure when it is negative.
template <typename Result>
Result Check(Result result, const char* syscall, const std::string& subject) {
  if (result < 0) throw SystemFailure(errno, syscall, subject);
  return result;
}

}  // namespace lacewing
