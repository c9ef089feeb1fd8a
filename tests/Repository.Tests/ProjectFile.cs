using System.Xml.Linq;

namespace Serving.Repository.Tests;

/// <summary>What a .csproj refers to.</summary>
internal sealed record ProjectFile(string Name, string Path, IReadOnlyList<string> Projects, IReadOnlyList<XElement> Packages)
{
    public static IReadOnlyDictionary<string, ProjectFile> Src { get; } = Load("src/");

    public static IReadOnlyDictionary<string, ProjectFile> Tests { get; } = Load("tests/");

    /// <summary>The projects that this one reaches, itself not included.</summary>
    public HashSet<string> Reaches()
    {
        HashSet<string> reached = [];
        Stack<string> open = new(Projects);
        while (open.TryPop(out string? name))
        {
            if (reached.Add(name) && Src.TryGetValue(name, out ProjectFile? project))
            {
                project.Projects.ToList().ForEach(open.Push);
            }
        }

        return reached;
    }

    private static Dictionary<string, ProjectFile> Load(string folder) =>
        RepositoryFiles.Under(folder, ".csproj").Select(Read).ToDictionary(project => project.Name);

    private static ProjectFile Read(string path)
    {
        XDocument xml = XDocument.Parse(RepositoryFiles.Read(path));

        // A reference without the assembly only orders the build: the command starts the hosts as processes.
        IEnumerable<string> projects = xml.Descendants("ProjectReference")
            .Where(reference => (string?)reference.Attribute("ReferenceOutputAssembly") != "false")
            .Select(reference => System.IO.Path.GetFileNameWithoutExtension(((string)reference.Attribute("Include")!).Replace('\\', '/')));
        return new ProjectFile(System.IO.Path.GetFileNameWithoutExtension(path), path, [.. projects], [.. xml.Descendants("PackageReference")]);
    }
}
