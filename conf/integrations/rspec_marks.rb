# SPDX-License-Identifier: Apache-2.0
# Tells rowcall which RSpec example runs, so that reports and budgets name it: {test: "spec/slow/*", max_queries: 400}.
#
#   spec/spec_helper.rb:  require_relative "rspec_marks", with this file beside it
#
# Under rowcall run each example is marked as spec/orders_spec.rb::Orders lists them, its before and after hooks included. Elsewhere it does
# nothing. Not for parallel_tests, whose examples overlap.
require "json"
require "net/http"

module RowcallMarks
  @url = ENV["ROWCALL_URL"] # set by rowcall run

  def self.mark(test)
    return unless @url
    uri = URI("#{@url}/api/v1/marks")
    http = Net::HTTP.new(uri.host, uri.port, nil)
    http.open_timeout = http.read_timeout = 2
    http.post(uri.path, { test: test }.to_json, "Content-Type" => "application/json")
  rescue SystemCallError, IOError, Timeout::Error => error
    warn "rowcall takes no marks, going on without: #{error}"
    @url = nil
  end
end

RSpec.configure do |config|
  config.prepend_before { |example| RowcallMarks.mark("#{example.file_path.delete_prefix("./")}::#{example.full_description}") }
  config.append_after { RowcallMarks.mark(nil) }
end
