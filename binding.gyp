{
  "includes": ["native/addon.gypi"],
  "targets": [
    {
      "target_name": "lacewing",
      "sources": ["<!@(ls -1 native/*.cc)"]
    },
    {
      "target_name": "lacewing-units",
      "type": "executable",
      "product_extension": "",
      "sources": [
        "<!@(ls -1 native/unit-helper/*.cc)",
        "native/errors.cc",
        "native/namespace-files.cc",
        "native/netlink.cc",
        "native/netns.cc",
        "native/unit-request.cc"
      ]
    }
  ],
  "conditions": [
    [
      "sanitize==1",
      {
        "targets": [
          {
            "target_name": "canary",
            "sources": ["test/sanitizers/canary.cc"]
          }
        ]
      }
    ]
  ]
}
