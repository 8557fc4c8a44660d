/** ml-svm 2.1.2 ships no types: what svm.ts uses of it. */
declare module "ml-svm" {
  interface Options {
    C?: number;
    tol?: number;
    maxPasses?: number;
    maxIterations?: number;
    alphaTol?: number;
    kernel?: { compute(a: readonly number[], b: readonly number[]): number };
    random?: () => number;
    whitening?: boolean;
  }
  class SVM {
    constructor(options: Options);
    /** @throws Error "max iterations reached" */
    train(features: readonly (readonly number[])[], labels: readonly (1 | -1)[]): void;
    /** After training: the support vectors, their labels and weights, and the bias. */
    readonly X: readonly (readonly number[])[];
    readonly Y: readonly (1 | -1)[];
    readonly alphas: readonly number[];
    readonly b: number;
  }
  export = SVM;
}
