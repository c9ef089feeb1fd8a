using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Rendering.Expressions;
using Serving.Text.Templates.Rendering.Statements;

namespace Serving.Text.Templates.Syntax;

/// <content>Statements.</content>
internal sealed partial class Parser
{
    private static readonly string[] NotForChat = ["include", "import", "from", "extends", "block", "autoescape"];

    private int _loopDepth;

    /// <summary>Everything up to a block tag that begins with one of <paramref name="ends"/>, which is left as the current token.</summary>
    private Node[] ParseBody(ReadOnlySpan<string> ends)
    {
        Enter();
        List<Node> body = [];
        while (Current.Kind != TokenKind.End)
        {
            Token token = Take();
            switch (token.Kind)
            {
                case TokenKind.Data:
                    body.Add(new TextNode(token.Offset, token.Text));
                    break;
                case TokenKind.VariableBegin:
                    body.Add(new OutputNode(token.Offset, ParseTuple()));
                    Expect(TokenKind.VariableEnd, "end of print statement");
                    break;
                case TokenKind.BlockBegin when Current.Kind == TokenKind.Name && ends.Contains(Current.Text):
                    Exit();
                    return [.. body];
                default:
                    body.Add(ParseStatement());
                    Expect(TokenKind.BlockEnd, "end of statement block");
                    break;
            }
        }

        if (ends.Length > 0)
        {
            throw Fail($"Unexpected end of template. Jinja was looking for the following tags: '{string.Join("' or '", ends)}'.");
        }

        Exit();
        return [.. body];
    }

    /// <summary>The body of a statement whose head has been read, with its end tag's name consumed.</summary>
    private Node[] ParseBlock(string end)
    {
        Node[] body = ParseBlockTo([end]);
        _index++;
        return body;
    }

    private Node[] ParseBlockTo(ReadOnlySpan<string> ends)
    {
        TrySkipOperator(":");
        Expect(TokenKind.BlockEnd, "end of statement block");
        return ParseBody(ends);
    }

    private Node ParseStatement()
    {
        Token tag = Expect(TokenKind.Name, "a tag name");
        switch (tag.Text)
        {
            case "if":
                return ParseIf(tag.Offset);
            case "for":
                return ParseFor(tag.Offset);
            case "set":
                return ParseSet(tag.Offset);
            case "macro":
                return new MacroNode(tag.Offset, ParseMacro(ExpectName(), "endmacro"));
            case "call":
                return ParseCallBlock(tag.Offset);
            case "filter":
                FilterExpression filters = ParseFilterChain();
                return new FilterBlockNode(tag.Offset, filters, ParseBlock("endfilter"));
            case "with":
                return ParseWith(tag.Offset);
            case "generation":
                return new WithNode(tag.Offset, [], ParseBlock("endgeneration"));
            case "print":
                return new OutputNode(tag.Offset, ParseTuple());
            case "break" or "continue" when _loopDepth > 0:
                return new LoopControlNode(tag.Offset, tag.Text == "break" ? Flow.Break : Flow.Continue);
            case "break" or "continue":
                throw new SyntaxException($"'{tag.Text}' outside a loop", tag.Offset);
            default:
                throw new SyntaxException(
                    NotForChat.Contains(tag.Text)
                        ? $"'{tag.Text}' is not supported: a chat template is one file on its own"
                        : $"Encountered unknown tag '{tag.Text}'.",
                    tag.Offset);
        }
    }

    private IfNode ParseIf(int offset)
    {
        int unknown = _unknown.Count;
        List<(Expression, Node[])> branches = [];
        Node[] otherwise = [];
        string next = "elif";
        while (next == "elif")
        {
            Expression condition = ParseTuple(withCondition: false);
            branches.Add((condition, ParseBlockTo(["elif", "else", "endif"])));
            next = Take().Text;
        }

        if (next == "else")
        {
            otherwise = ParseBlock("endif");
        }

        ForgiveUnknown(unknown);
        return new IfNode(offset, [.. branches], otherwise);
    }

    private ForNode ParseFor(int offset)
    {
        Target target = ParseTarget(withNamespace: false);
        if (!TrySkipName("in"))
        {
            throw Fail($"expected 'in', got {Current.Description}");
        }

        Expression source = ParseTuple(withCondition: false);
        Expression? filter = TrySkipName("if") ? ParseExpression() : null;
        bool isRecursive = TrySkipName("recursive");
        _loopDepth++;
        Node[] body = ParseBlockTo(["endfor", "else"]);
        _loopDepth--;
        Node[] otherwise = Take().Text == "else" ? ParseBlock("endfor") : [];
        return new ForNode(offset, target, source, filter, isRecursive, body, otherwise);
    }

    private Node ParseSet(int offset)
    {
        Target target = ParseTarget(withNamespace: true);
        if (TrySkipOperator("="))
        {
            return new SetNode(offset, target, ParseTuple());
        }

        FilterExpression? filters = TrySkipOperator("|") ? ParseFilterChain() : null;
        return new SetBlockNode(offset, target, filters, ParseBlock("endset"));
    }

    private WithNode ParseWith(int offset)
    {
        List<(Target, Expression)> assignments = [];
        while (Current.Kind != TokenKind.BlockEnd)
        {
            if (assignments.Count > 0)
            {
                ExpectOperator(",");
            }

            Target target = ParseTarget(withNamespace: false);
            ExpectOperator("=");
            assignments.Add((target, ParseExpression()));
        }

        return new WithNode(offset, [.. assignments], ParseBlock("endwith"));
    }

    private CallBlockNode ParseCallBlock(int offset)
    {
        (string[] parameters, Expression[] defaults) = IsOperator("(") ? ParseParameters() : ([], []);
        if (ParseExpression() is not CallExpression call)
        {
            throw new SyntaxException("expected call", offset);
        }

        return new CallBlockNode(offset, ParseMacroBody("caller", parameters, defaults, "endcall"), call);
    }

    private MacroDefinition ParseMacro(string name, string end)
    {
        (string[] parameters, Expression[] defaults) = ParseParameters();
        return ParseMacroBody(name, parameters, defaults, end);
    }

    private MacroDefinition ParseMacroBody(string name, string[] parameters, Expression[] defaults, string end)
    {
        HashSet<string> outer = _names;
        int loopDepth = _loopDepth;
        _names = new HashSet<string>(StringComparer.Ordinal);
        _loopDepth = 0;
        Node[] body = ParseBlock(end);
        var definition = new MacroDefinition(name, parameters, defaults, body, _names);
        outer.UnionWith(_names);
        _names = outer;
        _loopDepth = loopDepth;
        return definition;
    }

    private (string[] Parameters, Expression[] Defaults) ParseParameters()
    {
        ExpectOperator("(");
        List<Expression> defaults = [];
        List<string> parameters = ParseItems(")", () =>
        {
            string name = ExpectName();
            if (TrySkipOperator("="))
            {
                defaults.Add(ParseExpression());
            }
            else if (defaults.Count > 0)
            {
                throw Fail("non-default argument follows default argument");
            }

            return name;
        });
        return ([.. parameters], [.. defaults]);
    }

    private FilterExpression ParseFilterChain()
    {
        FilterExpression chain = ParseFilter(operand: null);
        while (TrySkipOperator("|"))
        {
            chain = ParseFilter(chain);
        }

        return chain;
    }

    private Target ParseTarget(bool withNamespace)
    {
        List<Target> items = [ParseTargetItem(withNamespace)];
        bool isTuple = false;
        while (TrySkipOperator(","))
        {
            isTuple = true;
            if (Current.Kind == TokenKind.BlockEnd || IsName("in") || IsOperator("=") || IsOperator(")"))
            {
                break;
            }

            items.Add(ParseTargetItem(withNamespace));
        }

        return isTuple ? new TupleTarget([.. items]) : items[0];
    }

    private Target ParseTargetItem(bool withNamespace)
    {
        if (TrySkipOperator("("))
        {
            Target inner = ParseTarget(withNamespace);
            ExpectOperator(")");
            return inner;
        }

        Token name = Expect(TokenKind.Name, "a name to assign to");
        if (name.Text is "true" or "True" or "false" or "False" or "none" or "None")
        {
            throw new SyntaxException($"can't assign to '{name.Text}'", name.Offset);
        }

        if (!withNamespace || !TrySkipOperator("."))
        {
            return new NameTarget(name.Text);
        }

        _names.Add(name.Text);
        return new NamespaceTarget(name.Text, ExpectName());
    }
}
