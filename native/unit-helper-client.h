// Asks the helper that may enter network namespaces (native/unit-helper) for what it opens there.
#pragma once

#include <string>

#include "namespace-files.h"
#include "unit-request.h"

namespace lacewing {

// Blocks until the helper that listens at `socketPath` has answered, some seconds at most. The subject of the
// SystemFailure of a helper that refuses, or was refused, is what it says of it.
NamespaceFiles AskUnitHelper(const std::string& socketPath, const UnitRequest& request);

}  // namespace lacewing
