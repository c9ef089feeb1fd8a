using Serving.Engine.Formats.Safetensors;

namespace Serving.Engine.Formats.HuggingFace;

/// <summary>The weights of a Hugging Face folder: one safetensors file, or the shards that an index names.</summary>
internal sealed class HuggingFaceWeights : IDisposable
{
    private const string Single = "model.safetensors";
    private const string Index = "model.safetensors.index.json";
    private const int ShardsMax = 4096;

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, ModelTensor> _tensors = new(StringComparer.Ordinal);

    private HuggingFaceWeights()
    {
    }

    public IReadOnlyList<SafetensorsFile> Files => _files;

    public IReadOnlyList<MappedFile> Mappings => _files.ConvertAll(file => file.Mapping);

    public IReadOnlyCollection<ModelTensor> Tensors => _tensors.Values;

    /// <exception cref="ModelFormatException">Files are missing or contradict each other.</exception>
    public static HuggingFaceWeights Open(string folder)
    {
        var weights = new HuggingFaceWeights();
        try
        {
            if (File.Exists(Path.Combine(folder, Single)))
            {
                weights.AddAll(SafetensorsFile.Open(Path.Combine(folder, Single)));
            }
            else if (File.Exists(Path.Combine(folder, Index)))
            {
                weights.AddShards(folder, Path.Combine(folder, Index));
            }
            else
            {
                throw Missing(folder);
            }

            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public ModelTensor? Find(string name)
    {
        if (_tensors.TryGetValue(name, out ModelTensor? tensor))
        {
            return tensor;
        }

        // Says why, where a tensor is there that cannot be used.
        _files.ForEach(file => file.Find(name));
        return null;
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    private static ModelFormatException Missing(string folder)
    {
        string problem = $"has neither {Single} nor {Index}";
        string[] others = Directory.GetFiles(folder, "*.safetensors");
        if (others.Length > 0)
        {
            Array.Sort(others, StringComparer.Ordinal);
            problem += $"; it has {Path.GetFileName(others[0])}{(others.Length > 1 ? " and others: fetch their index" : $": if that is the whole model, name it {Single}")}";
        }
        else if (Directory.GetFiles(folder, "*.bin").Length > 0 || Directory.GetFiles(folder, "*.pth").Length > 0)
        {
            problem = $"has its weights in pickles (PyTorch's old format, which runs code when it is read) and no {Single}; convert them to safetensors";
        }

        return new ModelFormatException(folder, null, "the folder", problem);
    }

    private void AddAll(SafetensorsFile file)
    {
        _files.Add(file);
        foreach ((string name, ModelTensor tensor) in file.Tensors)
        {
            _tensors.Add(name, tensor);
        }
    }

    private void AddShards(string folder, string indexPath)
    {
        const string Map = "weight_map";
        JsonFields map = JsonFields.Read(indexPath).FindObject(Map) ?? throw new ModelFormatException(indexPath, null, Map, "is missing");
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach ((string name, string shard) in map.Strings)
        {
            if (!shards.TryGetValue(shard, out SafetensorsFile? file))
            {
                file = shards.Count < ShardsMax ? OpenShard(folder, map, name, shard) : throw map.Invalid(name, $"names more than {ShardsMax} files");
                shards.Add(shard, file);
            }

            if (file.Tensors.TryGetValue(name, out ModelTensor? tensor))
            {
                _tensors.Add(name, tensor);
            }
            else if (!file.Contains(name))
            {
                throw map.Invalid(name, $"is said to be in {shard}, which does not have it");
            }
        }

        CheckForTwins(shards);
    }

    private SafetensorsFile OpenShard(string folder, JsonFields map, string name, string shard)
    {
        if (shard != Path.GetFileName(shard) || shard is "" or "." or ".." || shard.Contains('\0', StringComparison.Ordinal))
        {
            throw map.Invalid(name, $"is said to be in \"{shard}\", which is not the name of a file beside the index");
        }

        string path = Path.Combine(folder, shard);
        if (!File.Exists(path))
        {
            throw map.Invalid(name, $"is said to be in {shard}, which is missing; fetch the model again");
        }

        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        return file;
    }

    /// <summary>A tensor that two shards hold could be either: which one counts would be chance.</summary>
    private static void CheckForTwins(Dictionary<string, SafetensorsFile> shards)
    {
        var owners = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach (SafetensorsFile file in shards.Values)
        {
            foreach (ModelTensor tensor in file.Tensors.Values)
            {
                if (!owners.TryAdd(tensor.Name, file))
                {
                    throw tensor.Error($"is in {Path.GetFileName(owners[tensor.Name].Path)} as well");
                }
            }
        }
    }
}
