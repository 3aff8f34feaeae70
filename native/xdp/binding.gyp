# The second addon. In a build of its own, so that where it cannot be built the first is there all the same.
{
  "variables": {
    "root": "<(module_root_dir)/../..",
    "object": "<(module_root_dir)/build/lacewing.bpf.o"
  },
  "includes": ["../addon.gypi"],
  "targets": [
    {
      "target_name": "program",
      "type": "none",
      "actions": [
        {
          "action_name": "program",
          "inputs": ["<!@(ls -1 *.c *.h)"],
          "outputs": ["<(object)"],
          # v2: with 32-bit registers values are spilled in halves over spilled pointers, which takes CAP_PERFMON
          "action": [
            "clang",
            "-target", "bpf",
            "-mcpu=v2",
            "-O2",
            "-g",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-I/usr/include/<!(cc -print-multiarch)",
            "-c", "<(module_root_dir)/lacewing.bpf.c",
            "-o", "<(object)"
          ]
        }
      ]
    },
    {
      "target_name": "lacewing_xdp",
      "dependencies": ["program"],
      "sources": ["addon.cc", "object.cc", "program.cc", "../arguments.cc", "../errors.cc"],
      "defines": ["PROGRAM_OBJECT=\"<(object)\""],
      "libraries": ["-lbpf"]
    }
  ]
}
