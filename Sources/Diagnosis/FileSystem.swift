#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The file system that a path lies on.
struct FileSystem: Equatable {
  /// "ext4", "nfs4", "tmpfs".
  let type: String
  /// In bytes, for this user.
  let freeBytes: Int
  let isReadOnly: Bool

  /// - Parameter path: of something that is there.
  init?(holding path: String) {
    var status = statvfs()
    guard statvfs(path, &status) == 0, let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    let unit = Int(status.f_frsize)
    // A huge network file system may have more than fits.
    freeBytes =
      unit.multipliedReportingOverflow(by: Int(clamping: status.f_bavail)).overflow
      ? .max : unit * Int(clamping: status.f_bavail)
    isReadOnly = status.f_flag & UInt(ST_RDONLY) != 0
    type = Self.type(of: String(cString: resolved), mounts: SystemFile.text("/proc/self/mounts") ?? "") ?? "unknown"
  }

  /// The type of the innermost mount that holds a path; the later of two at the same place.
  static func type(of path: String, mounts: String) -> String? {
    var best: (length: Int, type: String)?
    for line in SystemFile.lines(mounts) {
      let words = line.split(separator: " ").map(String.init)
      guard words.count > 2 else { continue }
      let place = unescaped(words[1])
      let isInside = place == "/" || path == place || path.hasPrefix(place + "/")
      if isInside, place.utf8.count >= best?.length ?? 0 { best = (place.utf8.count, words[2]) }
    }
    return best?.type
  }

  /// The system writes a blank as "\040".
  private static func unescaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether other hosts see the same files.
  var isShared: Bool {
    [
      "nfs", "nfs4", "cifs", "smb3", "lustre", "ceph", "gpfs", "beegfs", "glusterfs", "9p", "fuse.sshfs", "afs",
      "pvfs2",
    ]
    .contains(type) || type.hasPrefix("fuse.ceph") || type.hasPrefix("fuse.gluster")
  }

  /// Whether what is written is lost when the system stops.
  var isVolatile: Bool { type == "tmpfs" || type == "ramfs" }
}

/// A number of bytes as a person reads it: 1.4 MB, 76 GB.
func byteText(_ count: Int) -> String {
  var value = Double(count)
  for unit in ["bytes", "kB", "MB", "GB"] {
    if value < 1000 || unit == "GB" {
      let digits = value < 10 && unit != "bytes" ? (value * 10).rounded() / 10 : value.rounded()
      return digits == digits.rounded() ? "\(Int(digits)) \(unit)" : "\(digits) \(unit)"
    }
    value /= 1000
  }
  return "\(count) bytes"
}
