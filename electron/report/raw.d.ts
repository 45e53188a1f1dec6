/** A style sheet as text: esbuild and vite both give it so. */
declare module '*.css?raw' {
  const text: string;
  export default text;
}
