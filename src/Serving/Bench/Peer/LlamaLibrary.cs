using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Serving.Cli.Bench.Peer;

/// <summary>
/// llama.cpp's C API, loaded at run time. Structures cross it by value and their fields change between versions, so only a version whose layout is known (<see cref="LlamaModelParams"/>,
/// <see cref="LlamaContextParams"/>, <see cref="LlamaBatch"/>) is let in, and only when its defaults arrive in the fields where that version has them.
/// </summary>
internal sealed unsafe class LlamaLibrary
{
    /// <summary>The version of node-llama-cpp's binaries in tests/tools/llama-cpp; a build of its bundled sources says <c>-dev</c>.</summary>
    private static readonly string[] KnownVersions = ["0.5.0", "0.5.0-dev"];

    private const int LogLevelError = 4;
    private const int CpuDevice = 0;

    private static readonly Lock Gate = new();
    private static readonly StringBuilder Errors = new();

    private readonly delegate* unmanaged<LlamaModelParams> _modelDefaults;
    private readonly delegate* unmanaged<LlamaContextParams> _contextDefaults;
    private readonly delegate* unmanaged<byte*, LlamaModelParams, nint> _loadModel;
    private readonly delegate* unmanaged<nint, LlamaContextParams, nint> _createContext;
    private readonly delegate* unmanaged<byte*, int, void> _threadPoolDefaults;
    private readonly delegate* unmanaged<byte*, nint> _createThreadPool;

    private LlamaLibrary(string path, nint handle)
    {
        Path = path;
        var versionOf = (delegate* unmanaged<byte*>)Find("llama_version");
        Version = Text(versionOf());
        if (!KnownVersions.Contains(Version))
        {
            throw new BenchException(
                $"{path} is llama.cpp {Version}; this program knows the structures of {KnownVersions[0]} only, and another version's may be laid out otherwise. "
                + "Build the sources that come with node-llama-cpp: docs/howto/benchmark.md says how.");
        }

        _modelDefaults = (delegate* unmanaged<LlamaModelParams>)Find("llama_model_default_params");
        _contextDefaults = (delegate* unmanaged<LlamaContextParams>)Find("llama_context_default_params");
        RefuseUnknownLayout(path, _modelDefaults(), LlamaModelParams.Known);
        RefuseUnknownLayout(path, _contextDefaults(), LlamaContextParams.Known);

        ((delegate* unmanaged<delegate* unmanaged<int, byte*, void*, void>, void*, void>)Find("llama_log_set"))(&Log, null);
        // A build with one library for each processor picks the best for this one; in a build with a single one it is linked and nothing is found.
        fixed (byte* folder = Bytes(System.IO.Path.GetDirectoryName(path)!))
        {
            ((delegate* unmanaged<byte*, void>)Find("ggml_backend_load_all_from_path"))(folder);
        }

        ((delegate* unmanaged<void>)Find("llama_backend_init"))();
        _loadModel = (delegate* unmanaged<byte*, LlamaModelParams, nint>)Find("llama_model_load_from_file");
        _createContext = (delegate* unmanaged<nint, LlamaContextParams, nint>)Find("llama_init_from_model");
        FreeModel = (delegate* unmanaged<nint, void>)Find("llama_model_free");
        FreeContext = (delegate* unmanaged<nint, void>)Find("llama_free");
        Memory = (delegate* unmanaged<nint, nint>)Find("llama_get_memory");
        RemoveFromMemory = (delegate* unmanaged<nint, int, int, int, byte>)Find("llama_memory_seq_rm");
        Decode = (delegate* unmanaged<nint, LlamaBatch, int>)Find("llama_decode");
        LogitsOf = (delegate* unmanaged<nint, int, float*>)Find("llama_get_logits_ith");
        Vocabulary = (delegate* unmanaged<nint, nint>)Find("llama_model_get_vocab");
        VocabularySize = (delegate* unmanaged<nint, int>)Find("llama_vocab_n_tokens");
        AttachThreadPool = (delegate* unmanaged<nint, nint, nint, void>)Find("llama_attach_threadpool");
        _threadPoolDefaults = (delegate* unmanaged<byte*, int, void>)Find("ggml_threadpool_params_init");

        // The pool's functions are the processor backend's own, which the library may only have loaded just now.
        var device = ((delegate* unmanaged<int, nint>)Find("ggml_backend_dev_by_type"))(CpuDevice);
        if (device == 0)
        {
            throw new BenchException($"{path} finds no backend for this processor beside it (libggml-cpu*): the installation is not whole.{TakeErrors()}");
        }

        var backend = ((delegate* unmanaged<nint, nint>)Find("ggml_backend_dev_backend_reg"))(device);
        var functionOf = (delegate* unmanaged<nint, byte*, nint>)Find("ggml_backend_reg_get_proc_address");
        _createThreadPool = (delegate* unmanaged<byte*, nint>)BackendFunction("ggml_threadpool_new");
        FreeThreadPool = (delegate* unmanaged<nint, void>)BackendFunction("ggml_threadpool_free");
        SystemInfo = Text(((delegate* unmanaged<byte*>)Find("llama_print_system_info"))()).Trim();

        nint Find(string name) => NativeLibrary.TryGetExport(handle, name, out var address)
            ? address
            : throw new BenchException($"{path} has no function {name}: it is not llama.cpp {KnownVersions[0]}. docs/howto/benchmark.md says which one is asked for.");

        nint BackendFunction(string name)
        {
            fixed (byte* text = Bytes(name))
            {
                return functionOf(backend, text) is not 0 and var address ? address : throw new BenchException($"{path}: its processor backend has no function {name}.");
            }
        }
    }

    /// <summary>The library's file.</summary>
    public string Path { get; }

    public string Version { get; }

    /// <summary>Instruction sets and build options that the library says it uses.</summary>
    public string SystemInfo { get; }

    public delegate* unmanaged<nint, void> FreeModel { get; }

    public delegate* unmanaged<nint, void> FreeContext { get; }

    public delegate* unmanaged<nint, nint> Memory { get; }

    /// <summary>(memory, sequence, from position, to position or -1).</summary>
    public delegate* unmanaged<nint, int, int, int, byte> RemoveFromMemory { get; }

    public delegate* unmanaged<nint, LlamaBatch, int> Decode { get; }

    /// <summary>(context, index of a token in the last batch).</summary>
    public delegate* unmanaged<nint, int, float*> LogitsOf { get; }

    public delegate* unmanaged<nint, nint> Vocabulary { get; }

    public delegate* unmanaged<nint, int> VocabularySize { get; }

    public delegate* unmanaged<nint, nint, nint, void> AttachThreadPool { get; }

    public delegate* unmanaged<nint, void> FreeThreadPool { get; }

    /// <exception cref="BenchException">It cannot be loaded or is not the known version.</exception>
    public static LlamaLibrary Load(string path)
    {
        try
        {
            return new LlamaLibrary(path, NativeLibrary.Load(path));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new BenchException($"{path} cannot be loaded: {e.Message}", e);
        }
    }

    /// <summary>Loads a GGUF file for the processor.</summary>
    public nint LoadModel(string path)
    {
        fixed (byte* text = Bytes(path))
        {
            return _loadModel(text, _modelDefaults() with { GpuLayers = 0 }) is not 0 and var model
                ? model
                : throw new BenchException($"llama.cpp does not load {path}.{TakeErrors()}");
        }
    }

    /// <param name="change">What is to be otherwise than by default.</param>
    public nint CreateContext(nint model, Func<LlamaContextParams, LlamaContextParams> change) =>
        _createContext(model, change(_contextDefaults())) is not 0 and var context ? context : throw new BenchException($"llama.cpp makes no context.{TakeErrors()}");

    /// <summary>Starts threads that poll for work, as llama.cpp's own benchmark has them.</summary>
    public nint CreateThreadPool(int threads)
    {
        // The structure (512 processor flags and six settings) is filled by the library and passed through.
        var parameters = stackalloc byte[1024];
        _threadPoolDefaults(parameters, threads);
        return _createThreadPool(parameters) is not 0 and var pool ? pool : throw new BenchException("llama.cpp starts no threads.");
    }

    /// <summary>What the library has logged as errors since the last time, to go behind a message.</summary>
    public static string TakeErrors()
    {
        lock (Gate)
        {
            var errors = Errors.ToString().Trim();
            Errors.Clear();
            return errors.Length == 0 ? "" : $" It says: {errors}";
        }
    }

    private static void RefuseUnknownLayout<T>(string path, T found, T known)
        where T : struct, IEquatable<T>
    {
        if (!found.Equals(known))
        {
            throw new BenchException($"{path}: the defaults are not those of llama.cpp {KnownVersions[0]}, so its structures are laid out otherwise.\nfound: {found}\nknown: {known}");
        }
    }

    [UnmanagedCallersOnly]
    private static void Log(int level, byte* text, void* user)
    {
        if (level == LogLevelError)
        {
            lock (Gate)
            {
                Errors.Append(Text(text));
            }
        }
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text + "\0");
}
