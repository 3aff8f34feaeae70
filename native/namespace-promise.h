// NamespaceFiles for JavaScript.
#pragma once

#include <napi.h>

#include <functional>

#include "namespace-files.h"

namespace lacewing {

// Runs `open`, which may block, on a thread of Node's. A promise of the `NamespaceFiles` of src/io/addon.ts,
// which belong to the environment, or of what it throws.
Napi::Value PromiseNamespaceFiles(Napi::Env env, std::function<NamespaceFiles()> open);

}  // namespace lacewing
