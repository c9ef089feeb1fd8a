namespace Serving.Engine.Formats;

/// <summary>The forms in which models are brought.</summary>
public enum ModelFormat
{
    /// <summary>One GGUF file, or its parts.</summary>
    Gguf,

    /// <summary>A folder with config.json and safetensors, as Hugging Face hubs hold them.</summary>
    HuggingFace,
}
