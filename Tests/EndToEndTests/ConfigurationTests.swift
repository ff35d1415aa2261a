import Foundation
import Testing

extension EndToEnd {
  @Suite struct ConfigurationTests {
    @Test func whatConfigPrintsStartsTheSameRun() throws {
      let folder = try TemporaryFolder()
      let printed = try Launch.run("config", "seed=7", "dataset.name=synthetic-digits", "training.batch=40")
      printed.expectOrderlyEnd(0)
      try printed.output.write(toFile: folder.path("run.yaml"), atomically: true, encoding: .utf8)
      let again = try Launch.run("config", "--config", "run.yaml", folder: folder.url)
      #expect(again.output == printed.output)
      #expect(printed.output.contains("\nseed: 7\n") || printed.output.hasPrefix("seed: 7\n"))
    }

    @Test func aRunsConfigurationEndsOnTheSameDigest() throws {
      let folder = try TemporaryFolder()
      let first = try Launch(folder: folder.url).run(
        ["--run-dir", "first", "--max-steps", "3", "seed=4"] + ShortRun.settings)
      first.expectOrderlyEnd(0)
      let second = try Launch.run(
        "--config", "first/configuration.yaml", "--run-dir", "second", "--max-steps", "3", folder: folder.url)
      second.expectOrderlyEnd(0)
      #expect(first.line("weights digest") != nil && first.line("weights digest") == second.line("weights digest"))
    }

    @Test func theSchemaHasEverySettingWithItsMeaning() throws {
      let text = try Launch.run("config", "--schema").output
      let schema = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
      let properties = try #require(schema["properties"] as? [String: Any])
      let table = try Launch.run("config", "--table").output.split(separator: "\n").dropFirst(2)
      #expect(table.count > 30)
      for row in table {
        let key = try #require(row.split(separator: "`").dropFirst().first)
        var place: [String: Any]? = ["properties": properties]
        for name in key.split(separator: ".") {
          place = (place?["properties"] as? [String: Any])?[String(name)] as? [String: Any]
        }
        #expect((place?["description"] as? String)?.isEmpty == false, "\(key)")
        #expect((place?["anyOf"] as? [[String: Any]])?.count == 2, "\(key)")
      }
    }

    /// Every configuration that the repository offers is one.
    @Test func theConfigurationsOfTheRepositoryAreRead() throws {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "configs")
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
      #expect(files.count >= 2)
      for file in files {
        try Launch.run("config", "--config", folder.appending(path: file).path).expectOrderlyEnd(0)
      }
    }

    @Test func theReadmeHasTheTableOfSettings() throws {
      let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
      let table = try Launch.run("config", "--table").output
      #expect(readme.contains(table), "put what `dtrain config --table` prints into README.md")
    }

    @Test(arguments: [
      (["config", "--explain", "training.bach"], 64, "did you mean training.batch?"),
      (["config", "--schema", "--table"], 64, "exclude each other"),
      (["config", "training.batch=0"], 78, "training.batch"),
    ])
    func whatIsWrongIsSaid(arguments: [String], status: Int32, text: String) throws {
      let run = try Launch().run(arguments)
      run.expectOrderlyEnd(status)
      #expect(run.errors.contains(text))
    }
  }
}
