import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where the content of compressed files is kept, so that a node has one copy of it, whatever the number of its ranks.
///
/// Ranks and jobs may start at once, in any number: an entry appears in one step, complete, and is checked whenever it
/// is opened.
struct DecompressedCache: Sendable {
  struct Place: Equatable, Sendable {
    let path: String
    /// Whether the folder has to belong to this user alone.
    let mustBeOwn: Bool
  }

  /// In the order in which they are tried.
  let places: [Place]

  init(places: [Place]) { self.places = places }

  /// `$DTRAIN_CACHE`, or `$XDG_CACHE_HOME/dtrain`, or `~/.cache/dtrain`; where that cannot be used, a folder of this
  /// user in `/tmp`.
  init(environment: (String) -> String?) {
    var places: [Place] = []
    if let named = environment("DTRAIN_CACHE") {
      places.append(Place(path: named, mustBeOwn: false))
    } else if let caches = environment("XDG_CACHE_HOME"), caches.hasPrefix("/") {
      places.append(Place(path: caches + "/dtrain", mustBeOwn: true))
    } else if let home = environment("HOME"), home.hasPrefix("/") {
      places.append(Place(path: home + "/.cache/dtrain", mustBeOwn: true))
    }
    places.append(Place(path: "/tmp/dtrain-\(geteuid())", mustBeOwn: true))
    self.places = places
  }

  /// The content of a compressed file, if it is here.
  func entry(for source: GzipFingerprint) -> MappedBytes? {
    for place in places {
      guard let folder = CacheFolder(place, create: false) else { continue }
      if let found = folder.entry(CacheSeal(source: source)) { return found }
    }
    return nil
  }

  /// Decompresses a file into the first place that takes it.
  ///
  /// - Returns: nil where no place does.
  /// - Throws: what is wrong with the compressed file.
  func build(
    _ source: GzipFingerprint, from reader: GzipReader, header: IDXHeader
  ) throws(Failure) -> MappedBytes? {
    let seal = CacheSeal(source: source)
    for place in places {
      guard let folder = CacheFolder(place, create: true) else { continue }
      folder.waitForOthers()
      if let found = folder.entry(seal) { return found }
      if let built = try folder.build(seal, from: reader, header: header) { return built }
    }
    return nil
  }
}
