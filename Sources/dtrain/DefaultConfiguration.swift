#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The settings that are meant where `--config` names none.
enum DefaultConfiguration {
  static let name = "configs/deepconvnet-mnist.yaml"

  /// The file in the current folder, or else in the nearest folder above the program, which is how one that SwiftPM
  /// built finds its package from anywhere. Nil where there is none: the built-in defaults say the same.
  ///
  /// - Parameters:
  ///   - executable: the absolute path of the program, where it is known.
  static func find(executable: String?, isReadable: (String) -> Bool) -> String? {
    if isReadable(name) { return name }
    var folder = executable.map { $0[...] } ?? ""
    while let slash = folder.lastIndex(of: "/") {
      folder = folder[..<slash]
      let candidate = "\(folder)/\(name)"
      if isReadable(candidate) { return candidate }
    }
    return nil
  }

  /// The file as this process finds it.
  static func find() -> String? {
    find(executable: ProgramFile.path(), isReadable: { access($0, R_OK) == 0 })
  }
}
