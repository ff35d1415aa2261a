@testable import Configuration

/// Files of settings: what is accepted can be written and loaded again, to equal settings.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzYAML(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = input(start, count)
  var reading = SettingsReading()
  if (try? reading.take(text: bytes, named: "input")) != nil, let settings = try? reading.finish() {
    for isDocumented in [false, true] {
      let text = settings.yaml(documented: isDocumented)
      require((try? SettingsLoader.load(text: text, named: "again")) == settings, "settings that are written come back")
    }
  }
  // The same bytes as what the command line sets.
  guard let text = String(validating: bytes, as: UTF8.self) else { return 0 }
  _ = try? SettingsLoader.load(file: nil, overrides: text.split(separator: "\n").map(String.init))
  return 0
}
