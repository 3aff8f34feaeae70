// Arguments from JavaScript, checked: what is wrong throws a TypeError or a RangeError.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "errors.h"

namespace lacewing {

// An integer from `min` to `max`.
int64_t Integer(Napi::Value value, const char* what, int64_t min, int64_t max);
int Descriptor(Napi::Value value);
// A Uint8Array.
std::span<uint8_t> Octets(Napi::Value value, const char* what);
// An Int32Array. Called once per batch, so it goes to the typed array without wrappers.
std::span<int32_t> Int32s(napi_env env, napi_value value);

Napi::Object Options(Napi::Value value);
int64_t Integer(const Napi::Object& options, const char* key, int64_t min, int64_t max);
int64_t Integer(const Napi::Object& options, const char* key, int64_t min, int64_t max, int64_t absent);
bool Flag(const Napi::Object& options, const char* key);
std::string Text(const Napi::Object& options, const char* key);
std::optional<std::string> OptionalText(const Napi::Object& options, const char* key);
std::span<uint8_t> Octets(const Napi::Object& options, const char* key);
std::optional<std::span<uint8_t>> OptionalOctets(const Napi::Object& options, const char* key);

// The NativeError of src/io/addon.ts.
Napi::Error ToError(Napi::Env env, const SystemFailure& failure);

// Runs the body of a function that JavaScript called; what the system refuses becomes an Error.
template <typename Body>
auto Guard(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const SystemFailure& failure) {
    throw ToError(env, failure);
  }
}

}  // namespace lacewing
