import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The value of an environment variable; nil where it is not set, or set to nothing.
@Sendable func environmentValue(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

/// Finds the idx files of a data set.
///
/// `dataset.path` alone where it is given and not empty; else `$DTRAIN_DATA`, `data`, `../shared/data` and `/usr/share/datasets`, in
/// this order. Each may hold the four files itself, or in a folder with the data set's name.
struct DataSearch {
  struct Place: Equatable {
    let path: String
    /// What the place is called in a message.
    let title: String
    /// Whether a person named this folder, so that its own name says what is in it.
    let isNamedByUser: Bool
  }

  /// The files of one subset.
  struct Files: Equatable {
    let images: String
    let labels: String
    let folder: String
    /// The data set's name, from the folder where that is what a person pointed at.
    let name: String
  }

  let places: [Place]
  private let isExplicit: Bool

  init(path: String?, environment: (String) -> String?) {
    if let path, !path.isEmpty {
      let expanded = path.hasPrefix("~/") ? (environment("HOME") ?? "~") + path.dropFirst(1) : path
      places = [Place(path: expanded, title: "dataset.path (\(path))", isNamedByUser: true)]
      isExplicit = true
      return
    }
    let named = environment("DTRAIN_DATA").map {
      Place(path: $0, title: "DTRAIN_DATA (\($0))", isNamedByUser: true)
    }
    let usual = ["data", "../shared/data", "/usr/share/datasets"].map {
      Place(path: $0, title: $0, isNamedByUser: false)
    }
    places = (named.map { [$0] } ?? []) + usual
    isExplicit = false
  }

  /// - Parameter remedy: what to do where the data set is nowhere.
  /// - Throws: `.noInput` naming the places; `.noPermission` where `dataset.path` may not be entered.
  func files(of name: String, subset: Subset, remedy: String) throws(Failure) -> Files {
    // A place with both subsets comes before one with this subset alone, so that both come from the same place.
    for needed in [Subset.allCases, [subset]] {
      for place in places {
        for folder in Self.folders(of: place, name: name) {
          let complete = needed.allSatisfy { Self.missing($0, in: folder).isEmpty }
          guard complete, let images = Self.find(Self.stem(subset, .images), .images, in: folder),
            let labels = Self.find(Self.stem(subset, .labels), .labels, in: folder)
          else { continue }
          let isFolderItself = folder == place.path && place.isNamedByUser
          return Files(
            images: images, labels: labels, folder: folder,
            name: isFolderItself ? Self.lastComponent(folder) ?? name : name)
        }
      }
    }
    throw notFound(name, subset, remedy)
  }

  private func notFound(_ name: String, _ subset: Subset, _ remedy: String) -> Failure {
    for place in places {
      for folder in Self.folders(of: place, name: name) {
        let missing = Self.missing(subset, in: folder)
        if missing.count == 1 {
          return Failure(.noInput, "\(folder) lacks \(missing[0]) (plain or .gz)", remedy: remedy)
        }
      }
    }
    guard isExplicit, let place = places.first else {
      let titles = places.map(\.title)
      return Failure(
        .noInput,
        "\(name) is not found in \(titles.dropLast().joined(separator: ", ")) or \(titles.last ?? "")", remedy: remedy)
    }
    var status = stat()
    if stat(place.path, &status) != 0 {
      return errno == EACCES
        ? Failure(.noPermission, "\(place.title) may not be entered by this user", remedy: "change its permissions")
        : Failure(.noInput, "\(place.title) does not exist", remedy: remedy)
    }
    if status.st_mode & S_IFMT != S_IFDIR {
      return Failure(
        .noInput, "\(place.title) is not a folder", remedy: "name the folder that holds the idx files")
    }
    if access(place.path, X_OK) != 0 && errno == EACCES {
      return Failure(.noPermission, "\(place.title) may not be entered by this user", remedy: "change its permissions")
    }
    let missing = Self.missing(subset, in: place.path).joined(separator: " and ")
    return Failure(
      .noInput, "\(place.title) has no \(missing) (plain or .gz), nor has its folder \(name)", remedy: remedy)
  }

  private static func folders(of place: Place, name: String) -> [String] {
    [place.path.hasSuffix("/") ? place.path + name : place.path + "/" + name, place.path]
  }

  private static func stem(_ subset: Subset, _ role: IDXRole) -> String {
    (subset == .training ? "train-" : "t10k-") + role.rawValue
  }

  private static func missing(_ subset: Subset, in folder: String) -> [String] {
    [IDXRole.images, .labels].compactMap { role in
      let stem = stem(subset, role)
      return find(stem, role, in: folder) == nil ? "\(stem)-\(ending(role))" : nil
    }
  }

  private static func ending(_ role: IDXRole) -> String { role == .images ? "idx3-ubyte" : "idx1-ubyte" }

  /// The path of a file under the names that are in use.
  private static func find(_ stem: String, _ role: IDXRole, in folder: String) -> String? {
    for separator in ["-", "."] {
      for suffix in ["", ".gz"] {
        let path = "\(folder)/\(stem)\(separator)\(ending(role))\(suffix)"
        if access(path, F_OK) == 0 { return path }
      }
    }
    return nil
  }

  private static func lastComponent(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved).split(separator: "/").last.map(String.init)
  }
}
