#include "arguments.h"

#include <climits>
#include <cmath>

namespace lacewing {

int64_t Integer(Napi::Value value, const char* what, int64_t min, int64_t max) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a number");
  double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= static_cast<double>(min) && number <= static_cast<double>(max)) ||
      std::trunc(number) != number) {
    throw Napi::RangeError::New(value.Env(), std::string(what) + " must be an integer from " +
                                                 std::to_string(min) + " to " + std::to_string(max));
  }
  return static_cast<int64_t>(number);
}

int Descriptor(Napi::Value value) {
  return static_cast<int>(Integer(value, "the descriptor", 0, INT_MAX));
}

std::span<uint8_t> Octets(Napi::Value value, const char* what) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a Uint8Array");
  }
  return {static_cast<uint8_t*>(data), length};
}

std::span<int32_t> Int32s(napi_env env, napi_value value) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array) {
    throw Napi::TypeError::New(env, "descriptors must be an Int32Array");
  }
  return {static_cast<int32_t*>(data), length};
}

Napi::Object Options(Napi::Value value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "options must be an object");
  return value.As<Napi::Object>();
}

int64_t Integer(const Napi::Object& options, const char* key, int64_t min, int64_t max) {
  return Integer(options.Get(key), key, min, max);
}

int64_t Integer(const Napi::Object& options, const char* key, int64_t min, int64_t max, int64_t absent) {
  Napi::Value value = options.Get(key);
  return value.IsUndefined() ? absent : Integer(value, key, min, max);
}

bool Flag(const Napi::Object& options, const char* key) {
  Napi::Value value = options.Get(key);
  if (!value.IsBoolean()) throw Napi::TypeError::New(options.Env(), std::string(key) + " must be a boolean");
  return value.As<Napi::Boolean>();
}

std::string Text(const Napi::Object& options, const char* key) {
  Napi::Value value = options.Get(key);
  if (!value.IsString()) throw Napi::TypeError::New(options.Env(), std::string(key) + " must be a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos)
    throw Napi::RangeError::New(options.Env(), std::string(key) + " must not contain NUL");
  return text;
}

std::optional<std::string> OptionalText(const Napi::Object& options, const char* key) {
  if (options.Get(key).IsUndefined()) return std::nullopt;
  return Text(options, key);
}

std::span<uint8_t> Octets(const Napi::Object& options, const char* key) {
  return Octets(options.Get(key), key);
}

std::optional<std::span<uint8_t>> OptionalOctets(const Napi::Object& options, const char* key) {
  Napi::Value value = options.Get(key);
  if (value.IsUndefined()) return std::nullopt;
  return Octets(value, key);
}

Napi::Error ToError(Napi::Env env, const SystemFailure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.what());
  error.Set("code", Napi::String::New(env, ErrorName(failure.error())));
  error.Set("errno", Napi::Number::New(env, failure.error()));
  error.Set("syscall", Napi::String::New(env, failure.syscall()));
  error.Set("subject", Napi::String::New(env, failure.subject()));
  return error;
}

}  // namespace lacewing
