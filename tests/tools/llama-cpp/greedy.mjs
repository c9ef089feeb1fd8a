// Lets llama.cpp go on from given token ids, greedily, with fp32 KV, without flash attention, on the CPU.
// Standard input:  {"model": "path.gguf", "cases": [{"ids": [0, 54], "count": 32}], "tokenize": ["text"]}
// Standard output: {"greedy": [[322, 163]], "tokens": [[54, 270]], "seconds": 0.4}, or {"error": "…"} and exit code 1. What llama.cpp logs goes to standard error.
import {text} from "node:stream/consumers";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

async function goOn(context, {ids, count}) {
    const sequence = context.getSequence();
    const greedy = [];
    let next = ids;
    while (greedy.length < count) {
        // One token at a time: a token that ends an answer ends the generator, and golden rows go on after it.
        const generator = sequence.evaluate(next, {temperature: 0, yieldEogToken: true});
        const {value, done} = await generator.next();
        if (done || value == null)
            throw new Error(`llama.cpp gave no token after ${greedy.length} of ${count}`);

        await generator.return();
        greedy.push(value);
        next = [value];
    }

    await sequence.clearHistory();
    sequence.dispose();
    return greedy;
}

async function run({model: modelPath, cases = [], tokenize = []}) {
    const begin = performance.now();
    const llama = await getLlama({
        gpu: false,
        build: "never",
        usePrebuiltBinaries: true,
        skipDownload: true,
        progressLogs: false,
        logLevel: LlamaLogLevel.warn,
        logger: (level, message) => process.stderr.write(`${level}: ${message}\n`)
    });
    const model = await llama.loadModel({modelPath, defaultContextFlashAttention: false});
    const longest = Math.max(1, ...cases.map(({ids, count}) => ids.length + count));
    const context = await model.createContext({
        contextSize: longest,
        batchSize: longest,
        flashAttention: false,
        experimentalKvCacheKeyType: "F32",
        experimentalKvCacheValueType: "F32",
        swaFullCache: true,
        threads: 1
    });
    const greedy = [];
    for (const one of cases)
        greedy.push(await goOn(context, one));

    const tokens = tokenize.map((one) => [...model.tokenize(one, true)]);
    await llama.dispose();
    return {greedy, tokens, seconds: (performance.now() - begin) / 1000};
}

try {
    process.stdout.write(JSON.stringify(await run(JSON.parse(await text(process.stdin)))) + "\n");
} catch (error) {
    process.stdout.write(JSON.stringify({error: String(error?.message ?? error)}) + "\n");
    process.exitCode = 1;
}
