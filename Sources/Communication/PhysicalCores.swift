#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The cores that this process may use: those that its affinity and its container leave it, each counted once however
/// many hardware threads it has.
public enum PhysicalCores {
  public static var count: Int {
    let bits = allowedProcessors()
    let allowed = (0..<(bits.count * 8)).filter { bits[$0 / 8] >> UInt8($0 % 8) & 1 == 1 }
    let cores = Set(
      allowed.map { processor in
        let topology = "/sys/devices/system/cpu/cpu\(processor)/topology"
        // Where the system does not say, every processor is a core of its own.
        return firstLine("\(topology)/thread_siblings_list") ?? "\(processor)"
      })
    return max(1, min(cores.count, quota(firstLine("/sys/fs/cgroup/cpu.max")) ?? .max))
  }

  /// The whole processors that a control group's limit amounts to, rounded up: "150000 100000" is 2.
  static func quota(_ limit: String?) -> Int? {
    guard let parts = limit?.split(separator: " "), parts.count == 2, let time = Int(parts[0]),
      let period = Int(parts[1]), time > 0, period > 0
    else { return nil }
    return (time + period - 1) / period
  }

  private static func firstLine(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 256)
    guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
    return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
