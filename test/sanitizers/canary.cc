// What the sanitizers must report: `npm run test:sanitizers` asks for both faults first, so that a run that finds
// nothing has shown that it would. Built with the addon's own flags, and only for that run (binding.gyp).

#include <node_api.h>

#include <climits>
#include <memory>

namespace {

// Nothing of this may be known when it is compiled, or it is compiled away.
int Opaque(int value) {
  volatile int opaque = value;
  return opaque;
}

napi_value Number(napi_env env, int value) {
  napi_value number = nullptr;
  napi_create_int32(env, value, &number);
  return number;
}

// AddressSanitizer: one octet behind a block of the heap.
napi_value Overflow(napi_env env, napi_callback_info) {
  auto block = std::make_unique<char[]>(static_cast<size_t>(Opaque(16)));
  block[static_cast<size_t>(Opaque(16))] = 1;
  return Number(env, block[0]);
}

// UndefinedBehaviorSanitizer: a signed sum that does not fit.
napi_value Undefined(napi_env env, napi_callback_info) { return Number(env, INT_MAX + Opaque(1)); }

napi_value Init(napi_env env, napi_value exports) {
  napi_property_descriptor functions[] = {
      {"overflow", nullptr, Overflow, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"undefined", nullptr, Undefined, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, 2, functions);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
