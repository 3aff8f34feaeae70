#include "errors.h"

#include <cctype>
#include <cstring>
#include <utility>

namespace lacewing {

std::string ErrorName(int error) {
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : "E" + std::to_string(error);
}

namespace {

std::string Message(int error, const char* syscall, const std::string& subject) {
  const char* text = strerrordesc_np(error);
  std::string description = text != nullptr ? text : "unknown error";
  // "Address already in use" reads on as part of a sentence; "RPC ..." stays
  if (description.size() > 1 && std::islower(static_cast<unsigned char>(description[1])))
    description[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(description[0])));
  return std::string(syscall) + ": " + ErrorName(error) + ", " + description + " (" + subject + ")";
}

}  // namespace

SystemFailure::SystemFailure(int error, const char* syscall, std::string subject)
    : error_(error),
      syscall_(syscall),
      subject_(std::move(subject)),
      message_(Message(error, syscall, subject_)) {}

}  // namespace lacewing
