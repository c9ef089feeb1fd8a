using Spectre.Console;

namespace Serving.Cli.Output;

internal enum Verbosity
{
    Quiet,
    Normal,
    Verbose,
}

/// <summary>Tells people on standard error how it goes: a spinner on a terminal, plain lines elsewhere. Standard output stays for results. Safe from any thread.</summary>
internal sealed class Reporter
{
    private readonly IAnsiConsole _console;
    private readonly Verbosity _verbosity;
    private readonly Lock _gate = new();
    private StatusContext? _status;

    public Reporter(Verbosity verbosity)
        : this(verbosity, AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }))
    {
    }

    internal Reporter(Verbosity verbosity, IAnsiConsole console)
    {
        _verbosity = verbosity;
        _console = console;
    }

    /// <summary>Runs work that reports its progress.</summary>
    public async Task<T> RunAsync<T>(string title, Func<Task<T>> work)
    {
        if (_verbosity == Verbosity.Quiet || !_console.Profile.Capabilities.Interactive || !_console.Profile.Out.IsTerminal)
        {
            Progress(title);
            return await work();
        }

        return await _console.Status().StartAsync(Markup.Escape(title), async context =>
        {
            SetStatus(context);
            try
            {
                return await work();
            }
            finally
            {
                SetStatus(null);
            }
        });
    }

    public void Progress(string text)
    {
        lock (_gate)
        {
            if (_status is not null)
            {
                _status.Status = Markup.Escape(text);
                return;
            }
        }

        if (_verbosity != Verbosity.Quiet)
        {
            Write(text, Style.Plain);
        }
    }

    /// <summary>Shown with <c>--verbose</c> only.</summary>
    public void Detail(string text)
    {
        if (_verbosity == Verbosity.Verbose)
        {
            Write(text, new Style(decoration: Decoration.Dim));
        }
    }

    public void Warning(string text)
    {
        if (_verbosity != Verbosity.Quiet)
        {
            Write(text, new Style(Color.Yellow));
        }
    }

    public void Error(string text) => Write(text, new Style(Color.Red));

    private void SetStatus(StatusContext? status)
    {
        lock (_gate)
        {
            _status = status;
        }
    }

    private void Write(string text, Style style)
    {
        lock (_gate)
        {
            if (_console.Profile.Out.IsTerminal)
            {
                _console.WriteLine(text, style);
            }
            else
            {
                // Spectre would wrap at 80 columns, which no reader of a file or a pipe wants.
                _console.Profile.Out.Writer.WriteLine(text);
            }
        }
    }
}
