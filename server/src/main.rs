fn main() -> std::process::ExitCode {
    lglp::cli::main()
}
