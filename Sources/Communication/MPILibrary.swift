import CMPI

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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

  /// Has Open MPI send long messages in fragments, unless the environment says what it should do, as `mpirun --mca` makes it
  /// do; it goes before parameter files. Its puts over TCP wait for each other where both sides send at once: on a link of
  /// 200 Mbit/s an exchange of 128 KiB each way takes 1.8 times as long. To be called before `MPI_Init` and before there are
  /// threads.
  static func chooseTransfers() {
    let variable = "OMPI_MCA_btl_tcp_flags"
    setenv(variable, transfers(chosen: getenv(variable).map { String(cString: $0) }), 1)
  }

  /// What Open MPI may do over TCP: what the user has chosen, else its default but for `put`.
  static func transfers(chosen: String?) -> String { chosen ?? "send,inplace,need-ack,need-csum,hetero-rdma" }
}
