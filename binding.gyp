{
  "includes": ["native/addon.gypi"],
  "targets": [
    {
      "target_name": "lacewing",
      "sources": ["<!@(ls -1 native/*.cc)"]
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
