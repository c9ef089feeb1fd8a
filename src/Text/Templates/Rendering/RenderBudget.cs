using System.Runtime.CompilerServices;

namespace Serving.Text.Templates.Rendering;

/// <summary>What is left of one render's <see cref="RenderLimits"/>.</summary>
internal sealed class RenderBudget(RenderLimits limits)
{
    private const int CharsPerStep = 32;

    private long _steps = limits.StepsMax;
    private int _depth;

    public void Charge(long steps)
    {
        _steps -= steps;
        if (_steps < 0)
        {
            throw new RenderException($"rendering takes more than {limits.StepsMax} steps", TemplateErrorKind.Limit);
        }
    }

    /// <summary>Charges work that touches <paramref name="chars"/> characters.</summary>
    public void ChargeScan(long chars) => Charge(1 + (chars / CharsPerStep));

    /// <summary>Charges an append to a text that has <paramref name="present"/> characters already.</summary>
    public void ChargeText(long added, long present)
    {
        if (added + present > limits.TextCharsMax)
        {
            throw new RenderException($"a text grows past {limits.TextCharsMax} characters", TemplateErrorKind.Limit);
        }

        ChargeScan(added);
    }

    /// <summary>Goes one level down. A fault ends the whole render, so there is no need to come up in a <c>finally</c>.</summary>
    public void Enter()
    {
        Charge(1);
        if (++_depth > limits.DepthMax || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw new RenderException("rendering nests too deep: is there a macro without an end?", TemplateErrorKind.Limit);
        }
    }

    public void Exit() => _depth--;
}
