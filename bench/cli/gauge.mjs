process.on("exit", () => {
  process.stderr.write(`\nmaxrss=${process.resourceUsage().maxRSS}\n`);
});
