{
  "variables": {
    # 1: for `npm run test:sanitizers` (scripts/setup/sanitized-addon.mjs)
    "sanitize%": 0,
    # the checkout
    "root%": "<(module_root_dir)"
  },
  "target_defaults": {
    "defines": [
      "NAPI_VERSION=8",
      "NODE_ADDON_API_CPP_EXCEPTIONS_ALL",
      # calls of a worker that is being terminated fail, and what they throw cannot be thrown any more
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
    ],
    "cflags_cc!": ["-std=gnu++17", "-fno-exceptions"],
    "cflags_cc": [
      "-std=c++20",
      "-fexceptions",
      "-fvisibility=hidden",
      "-O2",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-isystem",
      "<(root)/node_modules/node-addon-api"
    ],
    "ldflags": ["-pthread"],
    "conditions": [
      [
        "sanitize==1",
        {
          # vptr needs RTTI, which Node's flags leave out
          "cflags_cc": [
            "-fsanitize=address,undefined",
            "-fno-sanitize=vptr",
            "-fno-sanitize-recover=undefined",
            "-fno-omit-frame-pointer",
            "-g",
            # the checks themselves confuse GCC's flow analysis
            "-Wno-maybe-uninitialized"
          ],
          "ldflags": ["-fsanitize=address,undefined"]
        }
      ]
    ]
  }
}
