{
  "targets": [
    {
      "target_name": "lacewing",
      "sources": ["<!@(ls -1 native/*.cc)"],
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
        "<(module_root_dir)/node_modules/node-addon-api"
      ],
      "ldflags": ["-pthread"]
    }
  ]
}
