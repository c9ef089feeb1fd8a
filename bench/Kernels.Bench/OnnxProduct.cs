using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Serving.Kernels.Bench;

/// <summary>
/// A matrix product as ONNX Runtime does it: a model of one node over random weights. Field numbers are those of onnx.proto
/// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), operators those of the ONNX and the com.microsoft sets.
/// </summary>
internal sealed class OnnxProduct : IDisposable
{
    private const int Float = 1;
    private const int UInt8 = 2;
    private const int Int8 = 3;
    private const int Int32 = 6;
    private const int Block = 32;

    private readonly SessionOptions _options;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtValue _x;
    private readonly OrtValue _y;

    private OnnxProduct(Proto node, Proto[] weights, int xType, int yType, int rows, int inputs, int outputs, int threads)
    {
        Proto graph = new Proto().Message(1, node).Text(2, "product").Message(11, Value("x", xType, rows, inputs)).Message(12, Value("y", yType, rows, outputs));
        Array.ForEach(weights, tensor => graph.Message(5, tensor));
        Proto model = new Proto().Integer(1, 9).Message(7, graph).Message(8, OperatorSet("", 19)).Message(8, OperatorSet("com.microsoft", 1));
        _options = new SessionOptions { IntraOpNumThreads = threads, InterOpNumThreads = 1 };
        _session = new InferenceSession(model.ToArray(), _options);
        _x = xType == Float
            ? OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(Random(rows * inputs), value => (value - 128) / 128f), [rows, inputs])
            : OrtValue.CreateTensorValueFromMemory(Random(rows * inputs), [rows, inputs]);
        _y = yType == Float
            ? OrtValue.CreateTensorValueFromMemory(new float[rows * outputs], [rows, outputs])
            : OrtValue.CreateTensorValueFromMemory(new int[rows * outputs], [rows, outputs]);
    }

    /// <summary>Weights of 4 bits in blocks of 32 with a scale and a zero point each, activations of 8 bits inside (accuracy level 4): the kin of Q4_1.</summary>
    public static OnnxProduct Of4Bits(int rows, int inputs, int outputs, int threads)
    {
        int blocks = inputs / Block;
        Proto node = Node("MatMulNBits", ["x", "quants", "scales", "zeros"]).Text(7, "com.microsoft")
            .Message(5, Attribute("K", inputs)).Message(5, Attribute("N", outputs)).Message(5, Attribute("bits", 4))
            .Message(5, Attribute("block_size", Block)).Message(5, Attribute("accuracy_level", 4));
        float[] scales = new float[outputs * blocks];
        Array.Fill(scales, 0.01f);
        Proto[] weights =
        [
            Tensor("quants", UInt8, [outputs, blocks, Block / 2], Random(outputs * blocks * Block / 2)),
            Tensor("scales", Float, [outputs * blocks], MemoryMarshal.AsBytes(scales.AsSpan())),
            Tensor("zeros", UInt8, [outputs * ((blocks + 1) / 2)], Random(outputs * ((blocks + 1) / 2))),
        ];
        return new OnnxProduct(node, weights, Float, Float, rows, inputs, outputs, threads);
    }

    /// <summary>Bytes by bytes to 32-bit sums, one scale for a whole matrix: no more than the product alone, neither quantising nor scales.</summary>
    public static OnnxProduct OfBytes(int rows, int inputs, int outputs, int threads) => new(
        Node("MatMulInteger", ["x", "w"]), [Tensor("w", Int8, [inputs, outputs], Random(inputs * outputs))], UInt8, Int32, rows, inputs, outputs, threads);

    public void Multiply() => _session.Run(_run, ["x"], [_x], ["y"], [_y]);

    public void Dispose()
    {
        _x.Dispose();
        _y.Dispose();
        _run.Dispose();
        _session.Dispose();
        _options.Dispose();
    }

    private static byte[] Random(int count)
    {
        byte[] bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private static Proto Node(string operation, string[] inputs)
    {
        Proto node = new();
        Array.ForEach(inputs, input => node.Text(1, input));
        return node.Text(2, "y").Text(4, operation);
    }

    private static Proto Attribute(string name, long value)
    {
        const int IntegerKind = 2;
        return new Proto().Text(1, name).Integer(3, value).Integer(20, IntegerKind);
    }

    private static Proto Tensor(string name, int type, long[] dimensions, ReadOnlySpan<byte> contents)
    {
        Proto tensor = new();
        Array.ForEach(dimensions, dimension => tensor.Integer(1, dimension));
        return tensor.Integer(2, type).Text(8, name).Bytes(9, contents);
    }

    private static Proto Value(string name, int type, params long[] dimensions)
    {
        Proto shape = new();
        Array.ForEach(dimensions, dimension => shape.Message(1, new Proto().Integer(1, dimension)));
        return new Proto().Text(1, name).Message(2, new Proto().Message(1, new Proto().Integer(1, type).Message(2, shape)));
    }

    private static Proto OperatorSet(string domain, int version) => new Proto().Text(1, domain).Integer(2, version);
}
