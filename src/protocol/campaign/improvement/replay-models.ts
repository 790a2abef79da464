/** Which models a market can be replayed with; apart from them, so that reading a command line does not load ethers. */
export const replayModels = ["bayes", "centroid", "perceptron"] as const;
