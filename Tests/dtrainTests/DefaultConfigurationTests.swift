import Configuration
import Foundation
import Testing

@testable import dtrain

@Suite struct DefaultConfigurationTests {
  private func find(_ files: [String], executable: String?) -> String? {
    DefaultConfiguration.find(executable: executable, isReadable: files.contains)
  }

  @Test func theCurrentFolderComesFirst() {
    #expect(
      find(
        ["configs/deepconvnet-mnist.yaml", "/p/configs/deepconvnet-mnist.yaml"], executable: "/p/.build/debug/dtrain")
        == "configs/deepconvnet-mnist.yaml")
  }

  @Test func thePackageIsFoundAboveTheProgram() {
    let file = "/home/me/dtrain/configs/deepconvnet-mnist.yaml"
    #expect(find([file], executable: "/home/me/dtrain/.build/x86_64-unknown-linux-gnu/debug/dtrain") == file)
    #expect(
      find([file, "/home/configs/deepconvnet-mnist.yaml"], executable: "/home/me/dtrain/bin/dtrain") == file)
    #expect(
      find(["/configs/deepconvnet-mnist.yaml"], executable: "/usr/bin/dtrain") == "/configs/deepconvnet-mnist.yaml")
  }

  @Test func whereThereIsNoneNoneIsFound() {
    #expect(find([], executable: "/usr/bin/dtrain") == nil)
    #expect(find(["/elsewhere/configs/deepconvnet-mnist.yaml"], executable: nil) == nil)
  }

  @Test func theFileSaysWhatIsBuiltIn() throws {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    #expect(
      try SettingsLoader.load(file: package.appending(path: DefaultConfiguration.name).path) == Settings())
  }
}
