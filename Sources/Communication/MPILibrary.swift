import CMPI

/// The MPI library that this program is linked with.
public enum MPILibrary {
  /// "Open MPI v4.1.4". Needs no `MPI_Init`.
  public static var name: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING))
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "unknown" }
    let name = String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return String(name.prefix { $0 != "," && $0 != "\n" })
  }
}
