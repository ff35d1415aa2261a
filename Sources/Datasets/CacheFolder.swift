import CZlib
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder that is open, so that whatever happens to its path, what is done in it is done in this one.
struct CacheFolder: ~Copyable {
  private let descriptor: Int32

  /// Where the place must be this user's own, a symbolic link, another's folder and one that others may write are
  /// refused.
  ///
  /// - Parameter create: makes the folder and those above it where they are missing.
  /// - Returns: nil where there is none to be had.
  init?(_ place: DecompressedCache.Place, create: Bool) {
    if create { Self.makeFolders(place.path) }
    let opened = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (place.mustBeOwn ? O_NOFOLLOW : 0))
    guard opened >= 0 else { return nil }
    if place.mustBeOwn {
      var status = stat()
      guard fstat(opened, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
        close(opened)
        return nil
      }
    }
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Waits until no other process builds in this folder. The lock ends with `self`, or with the process.
  ///
  /// It only saves work: after a minute, or on a file system without locks, this goes on regardless, since every build
  /// has a file of its own and takes its place in one step.
  func waitForOthers() {
    for _ in 0..<3_000 {
      guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR) else { return }
      usleep(20_000)
    }
  }

  /// The entry of this name if it is complete and unaltered.
  func entry(_ seal: CacheSeal) -> MappedBytes? {
    let file = openat(descriptor, seal.entryName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > CacheSeal.byteCount,
      let mapped = MappedBytes(file: file, count: Int(status.st_size)), seal.isValid(for: mapped.bytes)
    else { return nil }
    return mapped
  }

  /// Decompresses into a new file, syncs it and gives it the entry's name.
  ///
  /// - Returns: nil where the file cannot be written: no permission, no room.
  /// - Throws: what is wrong with the compressed file.
  func build(_ seal: CacheSeal, from reader: GzipReader, header: IDXHeader) throws(Failure) -> MappedBytes? {
    removeAbandonedBuilds()
    guard let (file, name) = createBuild(seal) else { return nil }
    var isPublished = false
    defer {
      if !isPublished { unlinkat(descriptor, name, 0) }
      close(file)
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    reader.restart()
    var checksum: UInt = 0
    var offset = 0
    while offset < header.fileByteCount {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(header.fileByteCount - offset))
      try reader.readPart(header, from: offset, into: part)
      checksum = crc32_z(checksum, part.baseAddress?.assumingMemoryBound(to: UInt8.self), part.count)
      guard writeAll(UnsafeRawBufferPointer(part), to: file) else { return nil }
      offset += part.count
    }
    try reader.expectEnd(header)
    guard try reader.fingerprint() == seal.source else {
      throw Failure(
        .badData, "\(reader.file.path) changed while it was read", remedy: "start again when it is complete")
    }
    let footer = seal.footer(length: offset, checksum: UInt32(checksum))
    guard footer.withUnsafeBytes({ writeAll($0, to: file) }), fsync(file) == 0,
      let mapped = MappedBytes(file: file, count: offset + footer.count),
      renameat(descriptor, name, descriptor, seal.entryName) == 0
    else { return nil }
    isPublished = true
    fsync(descriptor)
    return mapped
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Bool {
    var written = 0
    while written < bytes.count, let base = bytes.baseAddress {
      let count = write(file, base + written, bytes.count - written)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }

  private static let buildSuffix = ".building"

  /// A file that did not exist before, readable by whoever may enter the folder.
  private func createBuild(_ seal: CacheSeal) -> (file: Int32, name: String)? {
    for attempt in 0..<1_000 {
      let name = "\(seal.entryName).\(getpid()).\(attempt)\(Self.buildSuffix)"
      let file = openat(descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
      if file >= 0 { return (file, name) }
      guard errno == EEXIST || errno == EINTR else { return nil }
    }
    return nil
  }

  /// Removes what processes left that ended in the middle of a build more than an hour ago.
  private func removeAbandonedBuilds() {
    let listed = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard listed >= 0 else { return }
    guard let folder = fdopendir(listed) else {
      close(listed)
      return
    }
    defer { closedir(folder) }
    while let item = readdir(folder) {
      let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      var status = stat()
      guard name.hasSuffix(Self.buildSuffix), fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        continue
      }
      #if canImport(Darwin)
        let modified = status.st_mtimespec.tv_sec
      #else
        let modified = status.st_mtim.tv_sec
      #endif
      if modified < time(nil) - 3_600 { unlinkat(descriptor, name, 0) }
    }
  }

  private static func makeFolders(_ path: String) {
    guard mkdir(path, 0o700) != 0, errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      return
    }
    makeFolders(String(path[..<slash]))
    mkdir(path, 0o700)
  }
}
