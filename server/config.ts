import { z } from "zod";

const Flag = z.stringbool({
  truthy: ["true", "1", "yes", "on"],
  falsy: ["false", "0", "no", "off", ""],
  error: ({ input }) => `is ${input}, neither true nor false`,
});
const Whole = (least: number, most: number) => {
  const error = ({ input }: { input: unknown }) => `is ${input}, not a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d+$/, { error })
    .transform(Number)
    .refine((number) => number >= least && number <= most, { error });
};
const List = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text) =>
      text
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ""),
    );

const Settings = z
  .object({
    HOST: z.string().min(1).default("127.0.0.1"),
    PORT: Whole(0, 65_535).default(8000),
    METRICS_PORT: Whole(0, 65_535).optional(),
    // Not repeated in the message: it may hold a password.
    DATABASE_URL: z
      .string()
      .refine(
        (url) => /^postgres(ql)?:\/\//.test(url) && URL.canParse(url),
        "is no PostgreSQL address such as postgres://user:password@host:5432/database (with special characters %-escaped)",
      )
      .optional(),
    DATA_DIR: z.string().min(1).default(".data"),
    LOG_LEVEL: z
      .enum(["debug", "info", "warning", "error"], {
        error: ({ input }) => `is ${input}, not one of debug, info, warning, error`,
      })
      .default("info"),
    ENABLE_DOCS: Flag.default(true),
    CORS_ALLOWED_ORIGINS: List(""),
    AUTH_ENABLED: Flag.default(false),
    AUTH_JWT_SECRET: z.string().min(32, "must have at least 32 characters").optional(),
    AUTH_ISSUER_KEY: z.string().min(16, "must have at least 16 characters").optional(),
    AUTH_TOKEN_EXPIRE_MINUTES: Whole(1, 525_600).default(60),
    ALLOW_INSECURE: Flag.default(false),
    PLUGINS: List(""),
    POSITIVE_EVENT_TYPES: List("addtocart,transaction,used_feature"),
    VIEW_EVENT_TYPES: List("view,viewed_feature"),
    INTERMEDIATE_POSITIVE_EVENT_TYPES: List("addtocart"),
    TERMINAL_POSITIVE_EVENT_TYPES: List("transaction"),
  })
  .superRefine((settings, context) => {
    if (settings.AUTH_ENABLED) {
      for (const name of ["AUTH_JWT_SECRET", "AUTH_ISSUER_KEY"] as const)
        if (settings[name] === undefined)
          context.addIssue({ code: "custom", path: [name], message: "is required when AUTH_ENABLED is true" });
    } else if (!isLoopback(settings.HOST) && !settings.ALLOW_INSECURE) {
      context.addIssue({
        code: "custom",
        path: ["HOST"],
        message: `is ${settings.HOST}, reachable from other machines, while anyone may change features: set AUTH_ENABLED=true, or ALLOW_INSECURE=true if something in front of the server checks access`,
      });
    }
  });

/** The server's settings, read once from the environment; names as in the README's table. */
export type Config = z.infer<typeof Settings>;

/** Throws an Error that names every wrong setting and what would work. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = Settings.safeParse(set);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")} ${issue.message}`);
  throw new Error(`These settings do not work:\n${lines.join("\n")}`);
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
