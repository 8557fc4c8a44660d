import { useState } from "preact/hooks";
import { type ApiError, call } from "../../api.ts";
import { Failed } from "../states.tsx";
import { say } from "../toast.tsx";

export function CheckNow({ version, asked }: { version: string; asked: () => void }) {
  const [error, setError] = useState<ApiError>();
  const check = async () => {
    try {
      await call("POST", `/models/${encodeURIComponent(version)}/checks`);
      say("It is checked as soon as a worker is free");
      asked();
    } catch (cause) {
      setError(cause as ApiError);
    }
  };
  return (
    <>
      <button type="button" onClick={check}>
        Check now
      </button>
      {error !== undefined && <Failed error={error} />}
    </>
  );
}
