@testable import Launching

/// Files of hosts: what is accepted says the same again when it is written plainly.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHosts(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let text = String(validating: input(start, count), as: UTF8.self),
    let hosts = try? Hostfile(text: text, name: "input").hosts
  else { return 0 }
  require(!hosts.isEmpty && Set(hosts.map(\.name)).count == hosts.count, "each host is there once")
  for host in hosts {
    require(host.slots.map { (1...65_536).contains($0) } ?? true, "slots lie in their range")
    require(!host.name.isEmpty && !host.name.hasPrefix("-"), "no name is an option of mpirun")
    require(!host.name.contains { " ,:@=\n".contains($0) }, "no name ends before its end")
  }
  let lines = hosts.map { "\($0.hasLogin ? "me@" : "")\($0.name)\($0.slots.map { " slots=\($0)" } ?? "")\n" }
  require((try? Hostfile(text: lines.joined(), name: "again").hosts) == hosts, "hosts that are written come back")
  return 0
}
